"""Every sentence the figures may say: one table, filled in by rule.

The rule chooses the key, never the writer of a page. Words that claim more
than a picture of one's own answers can carry stay out; a test holds this file
to that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Unit: TypeAlias = Literal["km", "mi"]
Fact: TypeAlias = float | int | str

METRES: Mapping[Unit, float] = {"km": 1000.0, "mi": 1609.344}
ABOUT_THE_SAME, SLIGHTLY = 0.1, 0.3

TITLES: Mapping[str, str] = {
    "after_runs": "Mood after runs and at check-ins",
    "mileage": "Mood and mileage",
    "stress": "Stress after runs and at check-ins",
    "company": "With others or alone",
    "place": "Indoors or outdoors",
    "time_of_day": "Time of day",
    "run_length": "Length of the run",
    "hours_since": "Hours since the run",
    "race": "Races and other runs",
    "longest": "Longest runs so far",
    "load": "The last seven days and check-ins",
    "month": "Four weeks at a time and check-ins",
    "consistency": "Days with a run each week",
    "focus_energy": "Energy and the distance run",
    "focus_effort": "How hard runs are, and their distance",
    "focus_presence": "Attention on the here and now, and the distance run",
    "focus_progress": "Satisfaction with progress, and the distance run",
    "focus_clarity": "A clear head and the distance run",
    "focus_connection": "Feeling connected to others, and the distance run",
}

SENTENCES: Mapping[str, str] = {
    "after_runs.higher": "In your first {n} answers, mood after runs tended to be "
    "higher than at check-ins: {first} against {second}. It does not tell us why.",
    "after_runs.lower": "In your first {n} answers, mood after runs tended to be "
    "lower than at check-ins: {first} against {second}. It does not tell us why.",
    "after_runs.none": "No clear difference so far between mood after runs and at "
    "check-ins ({n_first} runs, {n_second} check-ins).",
    "stress.higher": "In your first {n} answers, stress after runs tended to be "
    "higher than at check-ins: {first_plain} against {second_plain} of 4. "
    "It does not tell us why.",
    "stress.lower": "In your first {n} answers, stress after runs tended to be "
    "lower than at check-ins: {first_plain} against {second_plain} of 4. "
    "It does not tell us why.",
    "stress.none": "No clear difference so far between stress after runs and at "
    "check-ins ({n_first} runs, {n_second} check-ins).",
    "mileage.best": "In your first {n} answers, you tended to feel best in weeks of "
    "{range}: Good or Great after {good_in} of those runs, against {good_out} "
    "after others. It does not tell us why.",
    "mileage.early": "You may feel better in weeks of {range}. It may still be chance.",
    "mileage.higher": "In your first {n} answers, mood after longer runs tended to be "
    "higher. That held after allowing for season. It does not tell us why.",
    "mileage.lower": "In your first {n} answers, mood after longer runs tended to be "
    "lower. That held after allowing for season. It does not tell us why.",
    "mileage.none": "No clear link so far ({n} runs). Could be anywhere from {from} "
    "to {to} on longer runs.",
    "company.higher": "Mood tended to be higher after runs with others.",
    "company.lower": "Mood tended to be higher after runs alone.",
    "company.none": "No clear difference so far between runs with others and alone.",
    "place.higher": "Mood tended to be higher after runs indoors.",
    "place.lower": "Mood tended to be higher after runs outdoors.",
    "place.none": "No clear difference so far between runs indoors and outdoors.",
    "time_of_day.higher": "Mood tended to be higher after runs begun before noon.",
    "time_of_day.lower": "Mood tended to be higher after runs begun from noon on.",
    "time_of_day.none": "No clear difference so far between runs before noon and "
    "later.",
    "run_length.higher": "Mood tended to be higher after runs that took longer.",
    "run_length.lower": "Mood tended to be lower after runs that took longer.",
    "run_length.none": "No clear link so far between minutes of running and mood.",
    "hours_since.higher": "Mood tended to be higher the longer ago the run was.",
    "hours_since.lower": "Mood tended to be lower the longer ago the run was.",
    "hours_since.none": "No clear link so far between hours since the run and mood.",
    "race.higher": "Mood tended to be higher after races than after other runs.",
    "race.lower": "Mood tended to be lower after races than after other runs.",
    "race.none": "No clear difference so far between races and other runs.",
    "longest.higher": "Mood tended to be higher after your longest runs so far.",
    "longest.lower": "Mood tended to be lower after your longest runs so far.",
    "longest.none": "No clear difference after your longest runs.",
    "load.higher": "Check-in mood tended to be higher when the seven days before "
    "held more distance.",
    "load.lower": "Check-in mood tended to be lower when the seven days before held "
    "more distance.",
    "load.none": "No clear link so far between the last seven days and check-in mood.",
    "month.higher": "Check-in mood tended to be higher in stretches of four weeks "
    "with more distance.",
    "month.lower": "Check-in mood tended to be lower in stretches of four weeks with "
    "more distance.",
    "month.none": "No clear link so far between four weeks of distance and check-in "
    "mood.",
    "consistency.higher": "Check-in mood tended to be higher in weeks with more days "
    "with a run.",
    "consistency.lower": "Check-in mood tended to be lower in weeks with more days "
    "with a run.",
    "consistency.none": "No clear link so far between days with a run and check-in "
    "mood.",
    "focus_energy.higher": "You tended to have more energy after longer runs.",
    "focus_energy.lower": "You tended to have less energy after longer runs.",
    "focus_energy.none": "No clear link so far between distance and energy.",
    "focus_effort.higher": "Longer runs tended to feel harder.",
    "focus_effort.lower": "Longer runs tended to feel easier.",
    "focus_effort.none": "No clear link so far between distance and how hard runs "
    "felt.",
    "focus_presence.higher": "Your attention tended to be more on the here and now "
    "during longer runs.",
    "focus_presence.lower": "Your attention tended to be less on the here and now "
    "during longer runs.",
    "focus_presence.none": "No clear link so far between distance and attention on "
    "the here and now.",
    "focus_progress.higher": "You tended to be more satisfied with your progress "
    "after longer runs.",
    "focus_progress.lower": "You tended to be less satisfied with your progress "
    "after longer runs.",
    "focus_progress.none": "No clear link so far between distance and satisfaction "
    "with your progress.",
    "focus_clarity.higher": "Your head tended to be clearer after longer runs.",
    "focus_clarity.lower": "Your head tended to be foggier after longer runs.",
    "focus_clarity.none": "No clear link so far between distance and a clear head.",
    "focus_connection.higher": "You tended to feel more connected to others after "
    "longer runs.",
    "focus_connection.lower": "You tended to feel less connected to others after "
    "longer runs.",
    "focus_connection.none": "No clear link so far between distance and feeling "
    "connected to others.",
    "more_than_usual": "You have run more than your usual for two weeks ({recent} vs "
    "{usual} a week) and your answers are lower than your usual. Many runners ease "
    "off for a few days when they see this. If you feel unwell or have pain, see a "
    "professional.",
    "support": "Your last answers were mostly low. That happens, and it may pass. If "
    "you would like to talk to a person, these are free and confidential. This page "
    "cannot tell how you are; a doctor or counsellor can.",
    "withdrawn": "Not enough answers are left for this sentence.",
}

NOTES: Mapping[str, str] = {
    "too_few": "Not enough yet: {n} of {needed} {things}.",
    "too_few_each": "Not enough yet: {n} of {needed} answers on the smaller side.",
    "to_draw": "{more} more answers and we can draw this.",
    "next_look": "We look again at {milestone} answers; until then this sentence "
    "stands.",
    "answered": "Answered {answered} of {asked} asked. If you skip the mails on bad "
    "days, this picture is too rosy.",
    "ceiling": "{share} of these answers are at the top of the scale, so better days "
    "than that cannot show.",
    "season": "These answers span less than half a year, so season and mileage cannot "
    "be told apart yet.",
    "races_out": "Races are left out here: how a race went says more than how far it "
    "was.",
    "late": "Hollow dots were answered more than six hours after the run and do not "
    "count here.",
    "exploring": "Exploring: we look at {panels} such pictures, so now and then one "
    "will look like something by luck.",
    "remembered": "Remembered change: {mean} (before is from memory, which usually "
    "makes it look bigger).",
    "usual": "Your usual here is {mean}, from {n} rest-day answers.",
    "decided_again": "Decided again on {day}, after a change to the runs or answers "
    "behind it.",
    "goes_together": "This shows what goes together, not why. A good mood can also "
    "send you out for a run.",
    "slope": "About {slope} steps of mood for each {distance} more.",
    "support_closing": "Running is not a substitute for professional mental health "
    "care.",
}


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

    def said(self, unit: Unit = "km") -> str:
        return SENTENCES[self.sentence].format_map(_spoken(self.facts, unit))


def note(key: str, unit: Unit = "km", **facts: Fact) -> str:
    """One of NOTES with its numbers."""
    return NOTES[key].format_map(_spoken(facts, unit))


def effect_word(rho: float) -> str:
    """How a rank correlation is spoken: about the same, slightly or clearly."""
    if abs(rho) < ABOUT_THE_SAME:
        return "about the same"
    strength = "slightly" if abs(rho) <= SLIGHTLY else "clearly"
    return f"{strength} {'better' if rho > 0 else 'worse'}"


def signed(value: float) -> str:
    """One decimal with a true sign: a mood is never a bare number."""
    rounded = round(value, 1)
    if rounded == 0:
        return "0.0"
    return f"{'+' if rounded > 0 else chr(0x2212)}{abs(rounded):.1f}"


def distance(metres: float, unit: Unit, digits: int = 0) -> str:
    return f"{metres / METRES[unit]:.{digits}f} {unit}"


def _spoken(facts: Mapping[str, Fact], unit: Unit) -> dict[str, Fact]:
    """Turn numbers into words: shares, signed means, ranges in the runner's unit."""
    spoken: dict[str, Fact] = dict(facts)
    for name, value in facts.items():
        if isinstance(value, str):
            continue
        if name in {"first", "second", "mean"}:
            spoken[name] = signed(value)
            spoken[f"{name}_plain"] = f"{value:.1f}"
        elif name in {"good_in", "good_out", "share"}:
            spoken[name] = f"{100 * value:.0f} %"
        elif name in {"rho_low", "rho_high"}:
            spoken["from" if name == "rho_low" else "to"] = effect_word(value)
        elif name.endswith("_m"):
            spoken[name.removesuffix("_m")] = distance(value, unit)
    if "low_m" in facts:
        spoken["range"] = _range(facts, unit)
    return spoken


def _range(facts: Mapping[str, Fact], unit: Unit) -> str:
    low = float(facts["low_m"]) / METRES[unit]
    if "high_m" not in facts:
        return f"{low:.0f} {unit} or more"
    high = float(facts["high_m"]) / METRES[unit]
    if low <= 0:
        return f"under {high:.0f} {unit}"
    return f"{low:.0f}\N{EN DASH}{high:.0f} {unit}"
