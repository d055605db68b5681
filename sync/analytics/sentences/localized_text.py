"""How the figures speak: a text, the facts that fill it, and the reader's language.

What was decided is kept as a key and facts, and becomes words only when it is said:
in the language spoken then, whoever asks and however long it has stood.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeAlias

from babel.dates import format_date

from sync.analytics.sentences.captions import NOTES, TITLES
from sync.analytics.sentences.catalogue import SENTENCES
from sync.language import DEFAULT, locale, localized, spoken, translatable
from sync.language import gettext as _

__all__ = [
    "METRES",
    "NOTES",
    "SENTENCES",
    "TITLES",
    "Fact",
    "Finding",
    "Saying",
    "Unit",
    "distance",
    "effect_word",
    "note",
    "signed",
]

Unit: TypeAlias = Literal["km", "mi"]
Fact: TypeAlias = float | int | str

METRES: Mapping[Unit, float] = {"km": 1000.0, "mi": 1609.344}
ABOUT_THE_SAME, SLIGHTLY = 0.1, 0.3
_SAME = translatable("about the same")
_BETTER = (translatable("slightly better"), translatable("clearly better"))
_WORSE = (translatable("slightly worse"), translatable("clearly worse"))


@dataclass(frozen=True, slots=True)
class Saying:
    """A text with its facts, in no language yet."""

    text: str
    facts: Mapping[str, Fact | date] = field(default_factory=dict)
    unit: Unit = "km"

    def said(self) -> str:
        """Return it in the language spoken now."""
        return _(self.text).format_map(_spoken(self.facts, self.unit))


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at a milestone came to: a key of SENTENCES and its numbers.

    Distances are facts in metres; the runner's unit is chosen when it is said.
    """

    sentence: str
    facts: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """The part after the dot: higher, lower, best, early, none, withdrawn."""
        return self.sentence.rpartition(".")[2]

    def saying(self, unit: Unit = "km") -> Saying:
        return Saying(SENTENCES[self.sentence], self.facts, unit)

    def said(self, unit: Unit = "km") -> str:
        return self.saying(unit).said()


def note(key: str, unit: Unit = "km", **facts: Fact | date) -> Saying:
    """One of NOTES with its numbers."""
    return Saying(NOTES[key], facts, unit)


def effect_word(rho: float) -> str:
    """How a rank correlation is spoken: about the same, slightly or clearly."""
    if abs(rho) < ABOUT_THE_SAME:
        return _(_SAME)
    return _((_BETTER if rho > 0 else _WORSE)[abs(rho) > SLIGHTLY])


def signed(value: float) -> str:
    """One decimal with a true sign: a mood is never a bare number."""
    rounded = round(value, 1)
    sign = "" if rounded == 0 else "+" if rounded > 0 else "\N{MINUS SIGN}"
    return f"{sign}{localized(f'{abs(rounded):.1f}')}"


def distance(metres: float, unit: Unit, digits: int = 0) -> str:
    return f"{localized(f'{metres / METRES[unit]:.{digits}f}')} {unit}"


def _spoken(facts: Mapping[str, Fact | date], unit: Unit) -> dict[str, Fact | date]:
    """Turn facts into words: shares, signed means, ranges in the runner's unit."""
    said: dict[str, Fact | date] = dict(facts)
    for name, value in facts.items():
        if isinstance(value, str):
            continue
        if isinstance(value, date):
            said[name] = _day(value)
        elif name in {"first", "second", "mean", "slope"}:
            said[name] = signed(value)
            said[f"{name}_plain"] = localized(f"{value:.1f}")
        elif name in {"good_in", "good_out", "share"}:
            said[name] = f"{100 * value:.0f} %"
        elif name in {"rho_low", "rho_high"}:
            said["from" if name == "rho_low" else "to"] = effect_word(value)
        elif name.endswith("_m"):
            said[name.removesuffix("_m")] = distance(value, unit)
    low, high = (_in_unit(facts.get(name), unit) for name in ("low_m", "high_m"))
    if low is not None:
        said["range"] = _range(low, high, unit)
    return said


def _in_unit(metres: Fact | date | None, unit: Unit) -> float | None:
    return metres / METRES[unit] if isinstance(metres, int | float) else None


def _range(low: float, high: float | None, unit: Unit) -> str:
    if high is None:
        return _("%(low)s %(unit)s or more", low=f"{low:.0f}", unit=unit)
    if low <= 0:
        return _("under %(high)s %(unit)s", high=f"{high:.0f}", unit=unit)
    return f"{low:.0f}\N{EN DASH}{high:.0f} {unit}"


def _day(day: date) -> str:
    if spoken() == DEFAULT:
        return f"{day:%d %B %Y}".lstrip("0")
    return format_date(day, "long", locale=locale())
