"""Texts of the figures: notes, findings, and the facts that fill them.

A decision is stored as a key and facts.  It becomes words when a page reads it, in
the language active then.  The rule chooses the key, never the author of a page.
Words that claim more than a picture of one's own answers can carry stay out; a test
checks all of these texts for them, and their translations, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeAlias

from babel.dates import format_date

from sync.language import (
    DEFAULT_LANGUAGE,
    current_language,
    current_locale,
    format_signed,
    localize_number,
    translatable,
)
from sync.language import gettext as _

Unit: TypeAlias = Literal["km", "mi"]
Fact: TypeAlias = float | int | str

METRES_PER_UNIT: Mapping[Unit, float] = {"km": 1000.0, "mi": 1609.344}
MAX_ABOUT_THE_SAME, MAX_SLIGHTLY = 0.1, 0.3
_SAME = translatable("about the same")
_BETTER = (translatable("slightly better"), translatable("clearly better"))
_WORSE = (translatable("slightly worse"), translatable("clearly worse"))


@dataclass(frozen=True, slots=True)
class Sentence:
    """A finding in English: a title, and a text that goes on from it or is empty.

    In running text both are one sentence where `is_joined_by_colon`.
    """

    title: str
    text: str = ""
    is_joined_by_colon: bool = False


@dataclass(frozen=True, slots=True)
class LocalizedText:
    """A text with its facts, in no language yet."""

    text: str
    facts: Mapping[str, Fact | date] = field(default_factory=dict)

    def render(self, unit: Unit = "km") -> str:
        """Return it in the active language; distances are in `unit`."""
        return _(self.text).format_map(_format_facts(self.facts, unit))


@dataclass(frozen=True, slots=True)
class Finding:
    """What one panel says: a title and a text, in the language active when read.

    Distances are facts in metres; they are shown in `unit`.
    """

    sentence: Sentence
    facts: Mapping[str, Fact | date] = field(default_factory=dict)
    unit: Unit = "km"

    @property
    def title(self) -> str:
        return LocalizedText(self.sentence.title, self.facts).render(self.unit)

    @property
    def text(self) -> str:
        return LocalizedText(self.sentence.text, self.facts).render(self.unit)

    def render(self) -> str:
        """Return title and text as running text."""
        if not self.sentence.text:
            return self.title
        if self.sentence.is_joined_by_colon:
            return f"{self.title.removesuffix('.')}: {self.text}"
        return f"{self.title} {self.text}"


WITHDRAWN_SENTENCE = Sentence(
    translatable("Not enough answers are left for this sentence.")
)
# The two rare notices.
NOTICES: Mapping[str, str] = {
    "more_than_usual": translatable(
        "You have run more than your usual for two weeks ({recent} vs {usual} a week) "
        "and your answers are lower than your usual. Many runners ease off for a few "
        "days when they see this. If you feel unwell or have pain, see a professional."
    ),
    "support": translatable(
        "Your last answers were mostly low. That happens, and it may pass. If you "
        "would like to talk to a person, these are free and confidential. This page "
        "cannot tell how you are; a doctor or counsellor can."
    ),
}
NOTES: Mapping[str, str] = {
    "too_few.runs": translatable("Not enough yet: {n} of {needed} runs."),
    "too_few.answers": translatable("Not enough yet: {n} of {needed} answers."),
    "too_few.weeks": translatable("Not enough yet: {n} of {needed} weeks."),
    "too_few.stretches": translatable(
        "Not enough yet: {n} of {needed} stretches of four weeks."
    ),
    "picture_only": translatable("A picture only: no sentence is made of it."),
    "too_few_each": translatable(
        "Not enough yet: {n} of {needed} answers on the smaller side."
    ),
    "next_look": translatable(
        "We look again at {milestone} answers; until then this sentence stands."
    ),
    "answered": translatable(
        "Answered {answered} of {asked} asked. If you skip the mails on bad days, "
        "this picture is too rosy."
    ),
    "ceiling": translatable(
        "{share} of these answers are at the top of the scale, so better days than "
        "that cannot show."
    ),
    "season": translatable(
        "These answers span less than half a year, so season and mileage cannot be "
        "told apart yet."
    ),
    "races_out": translatable(
        "Races are left out here: how a race went says more than how far it was."
    ),
    "late": translatable(
        "Hollow dots were answered more than six hours after the run and do not count "
        "here."
    ),
    "exploring": translatable(
        "Exploring: we look at {panels} such pictures, so now and then one will look "
        "like something by luck."
    ),
    "remembered": translatable(
        "Remembered change: {mean} (before is from memory, which usually makes it "
        "look bigger)."
    ),
    "remembered_before": translatable(
        "Before is from memory, which usually makes the change look bigger."
    ),
    "said_before": translatable(
        "Before is what you said on the way out. You choose the days on which you say "
        "it, so it may be no fair picture of all runs."
    ),
    "memory_gap": translatable(
        "From memory, the mood before those {n} runs was {mean} steps from what you "
        "had said at the time."
    ),
    "ceiling_of_spread": translatable(
        "When most answers are at the top of the scale, the spread is small for that "
        "alone."
    ),
    "host_question": translatable(
        "Asked by the host of this instance, and not by Moodmiles."
    ),
    "host_scale": translatable(
        "The link is with the distance of the run, or of the seven days before a "
        "check-in, and with the order of the choices as the host wrote them."
    ),
    "usual": translatable("Your usual here is {mean}, from {n} rest-day answers."),
    "decided_again": translatable(
        "Decided again on {day}, after a change to the runs or answers behind it."
    ),
    "asked_by_habit": translatable(
        "These hours are when you happened to answer, and bad days may be answered "
        "late. “Help find out how long it lasts” in the settings has the hours drawn "
        "at random."
    ),
    "asked_by_draw": translatable(
        "This goes by the hours that were drawn, not by when you answered. A run that "
        "another one followed that day is left out, whatever was drawn."
    ),
    "asked_early": translatable(
        "{n} of these answers came before their question; they count all the same, so "
        "differences look smaller than they are."
    ),
    "later_in_day": translatable(
        "Later after a run is also later in the day: a sentence here needs a link that "
        "the hour of the day alone does not explain."
    ),
    "goes_together": translatable(
        "This shows what goes together, not why. A good mood can also send you out "
        "for a run."
    ),
    "more_today": translatable(
        "Decided from the first {n} answers. Together with those since, they look "
        "clearer than that."
    ),
    "less_today": translatable(
        "Decided from the first {n} answers. Together with those since, they are no "
        "longer clear."
    ),
    "allowed_for": translatable(
        "Allowed for: season, weekday and time of day, and the rhythm in which your "
        "runs come."
    ),
    "not_allowed_for": translatable(
        "Not allowed for, as nobody can from answers alone: you may run more when you "
        "already feel well, and answer less on bad days; illness and holidays move "
        "both."
    ),
    "slope": translatable("About {slope} steps of mood for each {distance} more."),
}


def build_note(key: str, **facts: Fact | date) -> LocalizedText:
    """Return one of NOTES with its facts."""
    return LocalizedText(NOTES[key], facts)


def describe_effect(rho: float) -> str:
    """Describe a rank correlation: about the same, slightly or clearly."""
    if abs(rho) < MAX_ABOUT_THE_SAME:
        return _(_SAME)
    return _((_BETTER if rho > 0 else _WORSE)[abs(rho) > MAX_SLIGHTLY])


def format_distance(metres: float, unit: Unit, digits: int = 0) -> str:
    return f"{localize_number(f'{metres / METRES_PER_UNIT[unit]:.{digits}f}')} {unit}"


def _format_facts(
    facts: Mapping[str, Fact | date], unit: Unit
) -> dict[str, Fact | date]:
    """Format facts: shares, signed means, ranges in the runner's unit."""
    texts: dict[str, Fact | date] = dict(facts)
    for name, value in facts.items():
        if isinstance(value, str):
            continue
        if isinstance(value, date):
            texts[name] = (
                f"{value:%d %B %Y}".lstrip("0")
                if current_language() == DEFAULT_LANGUAGE
                else format_date(value, "long", locale=current_locale())
            )
        elif name in {"first", "second", "mean", "slope"}:
            texts[name] = format_signed(value)
            texts[f"{name}_plain"] = localize_number(f"{value:.1f}")
        elif name in {"good_in", "good_out", "share"}:
            texts[name] = f"{100 * value:.0f} %"
        elif name in {"rho_low", "rho_high"}:
            texts["from" if name == "rho_low" else "to"] = describe_effect(value)
        elif name.endswith("_m"):
            texts[name.removesuffix("_m")] = format_distance(value, unit)
    ends = {
        name: metres / METRES_PER_UNIT[unit]
        for name in ("low_m", "high_m")
        if isinstance(metres := facts.get(name), int | float)
    }
    if "low_m" in ends:
        texts["range"] = _format_range(ends["low_m"], ends.get("high_m"), unit)
    return texts


def _format_range(low: float, high: float | None, unit: Unit) -> str:
    if high is None:
        return _("%(low)s %(unit)s or more", low=f"{low:.0f}", unit=unit)
    if low <= 0:
        return _("under %(high)s %(unit)s", high=f"{high:.0f}", unit=unit)
    return f"{low:.0f}\N{EN DASH}{high:.0f} {unit}"
