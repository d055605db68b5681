"""Values of a command at the controls, read from JSON or from a form."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from math import isfinite
from typing import TypeVar
from zoneinfo import available_timezones

from sync.simulator.refusals import InvalidCommand

Option = TypeVar("Option", bound=str)
TRUE_WORDS = {"true", "on", "1", "yes"}
FALSE_WORDS = {"false", "off", "0", "no", ""}


class RequestFields:
    """Named values, each read with its limits; a wrong one raises `InvalidCommand`."""

    def __init__(self, values: object) -> None:
        if not isinstance(values, Mapping):
            raise InvalidCommand("The body must be a JSON object.")
        self._values: Mapping[str, object] = values

    def allow_only(self, *names: str) -> "RequestFields":
        """Raise `InvalidCommand` for any other name."""
        for name in self._values:
            if name not in names:
                closest = get_close_matches(name, names, n=1, cutoff=0)
                raise InvalidCommand(
                    f"Unknown field {name!r}; did you mean {closest[0]!r}?"
                )
        return self

    def has(self, name: str) -> bool:
        return name in self._values

    def number(
        self, name: str, default: float, *, minimum: float = 0, maximum: float = 1e7
    ) -> float:
        raw = self._values.get(name, default)
        try:
            value = float(str(raw)) if not isinstance(raw, bool) else float("nan")
        except ValueError:
            value = float("nan")
        if not isfinite(value) or not minimum <= value <= maximum:
            raise InvalidCommand(
                f"{name} must be a number from {minimum:g} to {maximum:g}."
            )
        return value

    def integer(
        self, name: str, default: int, *, minimum: int = 0, maximum: int = 10_000_000
    ) -> int:
        value = self.number(name, default, minimum=minimum, maximum=maximum)
        if value != int(value):
            raise InvalidCommand(f"{name} must be a whole number.")
        return int(value)

    def flag(self, name: str, default: bool = False) -> bool:
        raw = str(self._values.get(name, default)).lower()
        if raw not in TRUE_WORDS | FALSE_WORDS:
            raise InvalidCommand(f"{name} must be true or false.")
        return raw in TRUE_WORDS

    def text(self, name: str, default: str = "", *, max_length: int = 200) -> str:
        raw = self._values.get(name, default)
        if not isinstance(raw, str) or len(raw) > max_length:
            raise InvalidCommand(
                f"{name} must be a text of at most {max_length} letters."
            )
        return raw

    def choice(self, name: str, options: Collection[Option], default: Option) -> Option:
        raw = self.text(name, default)
        for option in options:
            if option == raw:
                return option
        raise InvalidCommand(f"{name} must be one of {', '.join(options)}.")

    def zone(self, name: str, default: str) -> str:
        """Read a time zone, or one of the words `own` and `daytime`."""
        raw = self.text(name, default)
        if raw in {"own", "daytime"} or raw in available_timezones():
            return raw
        closest = get_close_matches(raw, available_timezones(), n=1, cutoff=0)
        raise InvalidCommand(
            f"{name} {raw!r} is not a time zone; did you mean {closest[0]}?"
        )
