"""What every template may use: versioned files, who is signed in, the demo's parts."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, url_for

from sync.language import gettext, ngettext, translatable
from web.formats import TILES, word
from web.http.session import current_runner
from web.runtime import runtime

_STATIC = Path(__file__).parent / "static"


def register(app: Flask) -> None:
    app.jinja_env.globals.update(
        asset=asset,
        current_runner=current_runner,
        demo_parts=demo_parts,
        strava_site=strava_site,
        kept=kept,
        chart_words=chart_words,
    )


def asset(name: str) -> str:
    """Return the address of a static file; it changes with the file's content."""
    return url_for("static", filename=name, v=_version(name))


def demo_parts() -> list[tuple[str, str]]:
    """Return name and address of the stand-ins that a newcomer should find."""
    settings = runtime().settings
    if not settings.shows_mailbox:
        return []
    parts = [(translatable("Mailbox"), f"{settings.public_url}/mailbox")]
    if settings.strava_site_url != "https://www.strava.com":
        parts.append((translatable("Strava simulator"), settings.strava_site_url))
    if settings.shows_states:
        parts.append((translatable("States"), f"{settings.public_url}/states"))
    return parts


def strava_site() -> str:
    return runtime().settings.strava_site_url


def kept() -> str:
    """Say for how long facts from Strava stay."""
    days = runtime().settings.strava_retention_days
    if days:
        return ngettext("for %(n)s day", "for %(n)s days", days)
    return gettext("while you stay connected")


def chart_words() -> dict[str, str | list[str]]:
    """Return what the charts' script says about a dot; moods count from 1."""
    return {
        "moods": ["", *map(word, TILES)],
        "link": gettext("View on Strava"),
        "place": gettext("{n} of {all}"),
    }


@cache
def _version(name: str) -> str:
    return sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
