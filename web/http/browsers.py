"""The common name of a browser, read from its User-Agent header."""

from collections.abc import Mapping

# The first match wins: most browsers also name those they descend from.
_PROGRAMS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "Vivaldi/": "Vivaldi",
    "SamsungBrowser/": "Samsung Internet",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Firefox/": "Firefox",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "CrOS": "ChromeOS",
    "Mac OS X": "Mac",
    "Linux": "Linux",
}


def browser_name(user_agent: str) -> str | None:
    """Return a name such as "Firefox on Linux", or None if it is unknown."""
    program = _find_first(_PROGRAMS, user_agent)
    system = _find_first(_SYSTEMS, user_agent)
    return f"{program} on {system}" if program and system else program or system


def _find_first(names: Mapping[str, str], text: str) -> str | None:
    return next((name for pattern, name in names.items() if pattern in text), None)
