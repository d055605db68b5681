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
from sync.language import (
    DEFAULT_LANGUAGE,
    current_language,
    current_locale,
    localize_number,
    translatable,
)
from sync.language import gettext as _

__all__ = [
    "METRES_PER_UNIT",
    "NOTES",
    "SENTENCES",
    "TITLES",
    "Fact",
    "Finding",
    "LocalizedText",
    "Unit",
    "build_note",
    "describe_effect",
    "format_distance",
    "format_signed",
]

Unit: TypeAlias = Literal["km", "mi"]
Fact: TypeAlias = float | int | str

METRES_PER_UNIT: Mapping[Unit, float] = {"km": 1000.0, "mi": 1609.344}
MAX_ABOUT_THE_SAME, MAX_SLIGHTLY = 0.1, 0.3
_SAME = translatable("about the same")
_BETTER = (translatable("slightly better"), translatable("clearly better"))
_WORSE = (translatable("slightly worse"), translatable("clearly worse"))


@dataclass(frozen=True, slots=True)
class LocalizedText:
    """A text with its facts, in no language yet."""

    text: str
    facts: Mapping[str, Fact | date] = field(default_factory=dict)
    unit: Unit = "km"

    def render(self) -> str:
        """Return it in the language spoken now."""
        return _(self.text).format_map(_format_facts(self.facts, self.unit))


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at a milestone came to: a key of SENTENCES and its numbers.

    Distances are facts in metres; the runner's unit is chosen when it is said.
    """

    sentence_key: str
    facts: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """The part after the dot: higher, lower, best, early, none, withdrawn."""
        return self.sentence_key.rpartition(".")[2]

    def localize(self, unit: Unit = "km") -> LocalizedText:
        return LocalizedText(SENTENCES[self.sentence_key], self.facts, unit)

    def render(self, unit: Unit = "km") -> str:
        return self.localize(unit).render()


def build_note(key: str, unit: Unit = "km", **facts: Fact | date) -> LocalizedText:
    """One of NOTES with its numbers."""
    return LocalizedText(NOTES[key], facts, unit)


def describe_effect(rho: float) -> str:
    """How a rank correlation is spoken: about the same, slightly or clearly."""
    if abs(rho) < MAX_ABOUT_THE_SAME:
        return _(_SAME)
    return _((_BETTER if rho > 0 else _WORSE)[abs(rho) > MAX_SLIGHTLY])


def format_signed(value: float) -> str:
    """One decimal with a true sign: a mood is never a bare number."""
    rounded = round(value, 1)
    sign = "" if rounded == 0 else "+" if rounded > 0 else "\N{MINUS SIGN}"
    return f"{sign}{localize_number(f'{abs(rounded):.1f}')}"


def format_distance(metres: float, unit: Unit, digits: int = 0) -> str:
    return f"{localize_number(f'{metres / METRES_PER_UNIT[unit]:.{digits}f}')} {unit}"


def _format_facts(
    facts: Mapping[str, Fact | date], unit: Unit
) -> dict[str, Fact | date]:
    """Turn facts into words: shares, signed means, ranges in the runner's unit."""
    texts: dict[str, Fact | date] = dict(facts)
    for name, value in facts.items():
        if isinstance(value, str):
            continue
        if isinstance(value, date):
            texts[name] = _format_day(value)
        elif name in {"first", "second", "mean", "slope"}:
            texts[name] = format_signed(value)
            texts[f"{name}_plain"] = localize_number(f"{value:.1f}")
        elif name in {"good_in", "good_out", "share"}:
            texts[name] = f"{100 * value:.0f} %"
        elif name in {"rho_low", "rho_high"}:
            texts["from" if name == "rho_low" else "to"] = describe_effect(value)
        elif name.endswith("_m"):
            texts[name.removesuffix("_m")] = format_distance(value, unit)
    low, high = (_to_unit(facts.get(name), unit) for name in ("low_m", "high_m"))
    if low is not None:
        texts["range"] = _format_range(low, high, unit)
    return texts


def _to_unit(metres: Fact | date | None, unit: Unit) -> float | None:
    return metres / METRES_PER_UNIT[unit] if isinstance(metres, int | float) else None


def _format_range(low: float, high: float | None, unit: Unit) -> str:
    if high is None:
        return _("%(low)s %(unit)s or more", low=f"{low:.0f}", unit=unit)
    if low <= 0:
        return _("under %(high)s %(unit)s", high=f"{high:.0f}", unit=unit)
    return f"{low:.0f}\N{EN DASH}{high:.0f} {unit}"


def _format_day(day: date) -> str:
    if current_language() == DEFAULT_LANGUAGE:
        return f"{day:%d %B %Y}".lstrip("0")
    return format_date(day, "long", locale=current_locale())
