"""Reading what somebody asked for at the controls, from JSON or from a form."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from math import isfinite
from typing import TypeVar
from zoneinfo import available_timezones

from sync.simulator.refusals import Mistake

Option = TypeVar("Option", bound=str)
YES = {"true", "on", "1", "yes"}
NO = {"false", "off", "0", "no", ""}


class Asked:
    """Named values, each read once with its limits; a wrong one is a `Mistake`."""

    def __init__(self, values: object) -> None:
        if not isinstance(values, Mapping):
            raise Mistake("The body must be a JSON object.")
        self._values: Mapping[str, object] = values

    def only(self, *names: str) -> "Asked":
        """Refuse names that mean nothing here."""
        for name in self._values:
            if name not in names:
                near = get_close_matches(name, names, n=1, cutoff=0)
                raise Mistake(f"Unknown field {name!r}; did you mean {near[0]!r}?")
        return self

    def has(self, name: str) -> bool:
        return name in self._values

    def number(
        self, name: str, default: float, *, least: float = 0, most: float = 1e7
    ) -> float:
        given = self._values.get(name, default)
        try:
            value = float(str(given)) if not isinstance(given, bool) else float("nan")
        except ValueError:
            value = float("nan")
        if not isfinite(value) or not least <= value <= most:
            raise Mistake(f"{name} must be a number from {least:g} to {most:g}.")
        return value

    def whole(
        self, name: str, default: int, *, least: int = 0, most: int = 10_000_000
    ) -> int:
        value = self.number(name, default, least=least, most=most)
        if value != int(value):
            raise Mistake(f"{name} must be a whole number.")
        return int(value)

    def flag(self, name: str, default: bool = False) -> bool:
        given = str(self._values.get(name, default)).lower()
        if given not in YES | NO:
            raise Mistake(f"{name} must be true or false.")
        return given in YES

    def text(self, name: str, default: str = "", *, most: int = 200) -> str:
        given = self._values.get(name, default)
        if not isinstance(given, str) or len(given) > most:
            raise Mistake(f"{name} must be a text of at most {most} letters.")
        return given

    def choice(self, name: str, options: Collection[Option], default: Option) -> Option:
        given = self.text(name, default)
        for option in options:
            if option == given:
                return option
        raise Mistake(f"{name} must be one of {', '.join(options)}.")

    def zone(self, name: str, default: str) -> str:
        """Read a time zone, or one of the words `own` and `daytime`."""
        given = self.text(name, default)
        if given in {"own", "daytime"} or given in available_timezones():
            return given
        near = get_close_matches(given, available_timezones(), n=1, cutoff=0)
        raise Mistake(f"{name} {given!r} is not a time zone; did you mean {near[0]}?")
