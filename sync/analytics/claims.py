"""What the founding article says of running and mood, and what answers each claim.

The wording is ours, in plain words; the order is the article's.  A claim about
illness or about what goes on in the body has no panel, and a reason why not.
"""

from dataclasses import dataclass

from sync.language import translatable


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim of the article.

    number     its place in the article, from 1
    text       what the article says, English, translatable
    panels     names of the panels that answer it for one runner, the main one first
    agreeing   the sentences, as panel and verdict, that say the same as the article;
               another clear one of the same panel says the opposite
    questions  keys of the questions that the panels need and a runner may have off;
               one of them is enough for a first picture
    reason     why one person's answers cannot test it; empty for one they can test
    """

    number: int
    text: str
    panels: tuple[str, ...] = ()
    agreeing: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    reason: str = ""

    @property
    def is_testable(self) -> bool:
        return not self.reason

    def agrees_with(self, sentence_key: str) -> bool | None:
        """Whether a clear sentence says the same; None where its panel says neither."""
        if sentence_key in self.agreeing:
            return True
        panel = sentence_key.partition(".")[0]
        has_direction = any(key.startswith(f"{panel}.") for key in self.agreeing)
        return False if has_direction else None


CLAIMS: tuple[Claim, ...] = (
    Claim(
        number=1,
        text=translatable("A run leaves you in a better mood."),
        panels=("after_runs", "pre_run", "remembered"),
        agreeing=("after_runs.higher",),
        questions=("checkins",),
    ),
    Claim(
        number=2,
        text=translatable("You are less stressed after a run."),
        panels=("stress",),
        agreeing=("stress.lower",),
        questions=("stress", "checkins"),
    ),
    Claim(
        number=3,
        text=translatable("The good mood lasts for hours."),
        panels=("hours_since", "asked_delay"),
    ),
    Claim(
        number=4,
        text=translatable(
            "A runner’s high comes after some runs and not after others."
        ),
        panels=("runners_high",),
        questions=("energy",),
    ),
    Claim(
        number=5,
        text=translatable("With regular running, mood grows steadier over the months."),
        panels=("steadiness",),
        questions=("checkins",),
    ),
    Claim(
        number=6,
        text=translatable("Regular runners are less stressed in general."),
        panels=("stress_load",),
        agreeing=("stress_load.lower",),
        questions=("stress", "checkins"),
    ),
    Claim(
        number=7,
        text=translatable(
            "Short and slow runs count too: something is better than nothing."
        ),
        panels=("run_length", "remembered"),
    ),
    Claim(
        number=8,
        text=translatable("Mood and mileage go together."),
        panels=("mileage",),
        agreeing=("mileage.best", "mileage.higher", "mileage.lower"),
    ),
    Claim(
        number=9,
        text=translatable("Twenty to thirty minutes a few times a week are enough."),
        panels=("consistency", "week_minutes"),
        questions=("checkins",),
    ),
    Claim(
        number=10,
        text=translatable(
            "Running regularly counts for more than a long run now and then."
        ),
        panels=("longest_share", "consistency", "load"),
        agreeing=("longest_share.lower", "consistency.higher"),
        questions=("checkins",),
    ),
    Claim(
        number=11,
        text=translatable("Running outdoors feels better than running indoors."),
        panels=("place",),
        agreeing=("place.lower",),
        questions=("context",),
    ),
    Claim(
        number=12,
        text=translatable("Running with others feels better than running alone."),
        panels=("company",),
        agreeing=("company.higher",),
        questions=("context",),
    ),
    Claim(
        number=13,
        text=translatable("It feels better to run with your mind on the here and now."),
        panels=("presence_mood", "focus_presence"),
        agreeing=("presence_mood.higher",),
        questions=("presence",),
    ),
    Claim(
        number=14,
        text=translatable(
            "Reaching goals, such as a longest run or a race, makes you content."
        ),
        panels=("longest", "race", "progress_milestones", "focus_progress"),
        agreeing=("longest.higher", "race.higher", "progress_milestones.higher"),
        questions=("progress",),
    ),
    Claim(
        number=15,
        text=translatable("Running makes you more confident and more in control."),
        panels=("control", "confidence"),
        agreeing=("control.higher", "confidence.higher"),
        questions=("control", "confidence"),
    ),
    Claim(
        number=16,
        text=translatable("A run clears your head."),
        panels=("clear_head", "focus_clarity"),
        agreeing=("clear_head.higher",),
        questions=("clarity",),
    ),
    Claim(
        number=17,
        text=translatable(
            "You sleep better after a day with a run, if it was not late."
        ),
        panels=("sleep", "late_runs"),
        agreeing=("sleep.higher", "late_runs.lower"),
        questions=("sleep",),
    ),
    Claim(
        number=18,
        text=translatable("Rest days matter: too much running wears you out."),
        panels=("load", "month"),
        agreeing=("load.lower", "month.lower"),
        questions=("checkins",),
    ),
    Claim(
        number=19,
        text=translatable("Run at the same time of day, and make it a habit."),
        panels=("time_of_day",),
    ),
    Claim(
        number=20,
        text=translatable("Keep it easy: a gentle effort feels best."),
        panels=("effort_mood", "focus_effort"),
        agreeing=("effort_mood.lower",),
        questions=("effort",),
    ),
    Claim(
        number=21,
        text=translatable("Running is as good as medicine for a troubled mind."),
        reason=translatable(
            "Only trials with many people who are ill can tell. One person’s answers "
            "cannot, and they replace no doctor or counsellor."
        ),
    ),
    Claim(
        number=22,
        text=translatable("Running helps people who are ill in their mood."),
        reason=translatable(
            "Moodmiles asks how you feel, and cannot tell whether anybody is ill. "
            "Running is not a substitute for professional mental health care."
        ),
    ),
    Claim(
        number=23,
        text=translatable(
            "Running changes cortisol and serotonin, and lets nerve cells grow."
        ),
        reason=translatable(
            "Answers say how you feel; nobody can see in them what goes on in blood "
            "and brain."
        ),
    ),
)


def get_claims_about(panel_name: str) -> tuple[Claim, ...]:
    """Return the claims that a panel helps to answer, in the article's order."""
    return tuple(claim for claim in CLAIMS if panel_name in claim.panels)
