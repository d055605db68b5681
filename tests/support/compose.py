"""What compose makes of docker-compose.yml and .env, by the rules of its reference.

https://docs.docker.com/reference/compose-file/interpolation/ and, for the file .env,
https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/
"""

import re
from collections.abc import Mapping
from typing import Any

_VARIABLE = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<bare>[A-Za-z_]\w*)"
    r"|\{(?P<name>[A-Za-z_]\w*)(?:(?P<kind>:?[-?+])(?P<word>[^}]*))?\})"
)
_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>\w+)\s*=\s*(?P<value>.*?)\s*")
_SINGLE = re.compile(r"'((?:[^'\\]|\\.)*)'\s*(?:#.*)?")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?')


class MissingVariable(ValueError):
    """The file asks for a variable that is not set."""


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """Replace `$NAME`, `${NAME:-default}`, `${NAME:?error}`; `$$` is a dollar."""

    def replace(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        name, kind, word = match["bare"] or match["name"], match["kind"], match["word"]
        value = variables.get(name)
        is_given = bool(value) if kind and kind.startswith(":") else value is not None
        match (kind or "")[-1:]:
            case "-":
                return value or "" if is_given else word
            case "?" if not is_given:
                raise MissingVariable(f"{name}: {word}")
            case "+":
                return word if is_given else ""
            case _:
                return value or ""

    return _VARIABLE.sub(replace, text)


def read_env_file(text: str, shell: Mapping[str, str]) -> dict[str, str]:
    """Read a .env: in single quotes a value is as it stands, elsewhere `$` counts."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None or line.lstrip().startswith("#"):
            continue
        value = match["value"]
        if single := _SINGLE.fullmatch(value):
            values[match["name"]] = re.sub(r"\\(['\\])", r"\1", single[1])
            continue
        if double := _DOUBLE.fullmatch(value):
            value = re.sub(r'\\(["\\])', r"\1", double[1])
        else:
            value = re.sub(r"\s#.*$", "", value)
        values[match["name"]] = interpolate(value, {**values, **shell})
    return values


def resolve(part: Any, variables: Mapping[str, str]) -> Any:
    """Return a part of the compose file with its variables replaced."""
    match part:
        case dict():
            return {key: resolve(value, variables) for key, value in part.items()}
        case list():
            return [resolve(value, variables) for value in part]
        case str():
            return interpolate(part, variables)
        case _:
            return part


def resolve_environment(
    service: Mapping[str, Any], env_text: str, shell: Mapping[str, str]
) -> dict[str, str]:
    """Return what a service's process finds in its environment."""
    file_values = read_env_file(env_text, shell)
    given = file_values if service.get("env_file") == [".env"] else {}
    own: dict[str, str] = resolve(
        service.get("environment", {}), {**file_values, **shell}
    )
    return given | own
