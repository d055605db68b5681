"""The dashboard's own words: stages, and why a run was or was not asked about.

Sentences about what mood and mileage have to do with each other come from
`sync.analytics`, never from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sync.analytics.overview import RunRow

FIRST_LOOK = 15

NOT_ASKED: Mapping[str, str] = {
    "before linking": "Before you connected",
    "no confirmed address": "No confirmed address",
    "stopped": "Mails were stopped",
    "paused": "Paused",
    "entered by hand": "Entered by hand",
    "too short": "Too short",
    "only long runs": "Not a long run",
    "too old": "Reached us too late",
    "asked before": "Asked before",
    "one of many at once": "One of many at once",
    "one a day": "One mail a day",
    "enough this week": "Enough mails that week",
    "every other run": "Every other run",
    "quiet hours": "Quiet hours",
    "once a week": "One question a week",
    "double": "Asked with the later run",
    "five unanswered": "Several unanswered",
    "waiting for your choice": "Waiting for your choice",
    "answered": "Answered before the mail",
    "skipped": "Skipped",
}


@dataclass(frozen=True, slots=True)
class Headline:
    eyebrow: str
    title: str
    text: str


def headline(runs: int, answers: int, *, is_importing: bool = False) -> Headline:
    """Say where this runner stands; claims nothing about mood and mileage."""
    eyebrow = f"{_count(answers, 'answer')} from {_count(runs, 'run')}"
    if is_importing and answers == 0:
        return Headline(
            "Strava is connected",
            "Your runs are coming in.",
            "We read date, distance and time only. Your first question comes after "
            "your next run.",
        )
    if runs == 0:
        return Headline(
            "Strava is connected",
            "All set. Go for a run.",
            "About half an hour after you finish, we’ll e-mail you one question. "
            "Answering takes a few seconds.",
        )
    if answers == 0:
        return Headline(
            f"{_count(runs, 'run')} imported",
            "Your runs are in. Add your first mood.",
            "After each new run we’ll e-mail you one question.",
        )
    if answers < FIRST_LOOK:
        return Headline(
            eyebrow,
            f"Not enough yet: {answers} of {FIRST_LOOK} runs.",
            "Until then you see exactly what you told us.",
        )
    return Headline(
        eyebrow,
        "Your moods, run by run.",
        "Each dot below is one run that you told us about.",
    )


def asked_words(run: RunRow) -> str:
    """Return in a few words whether this run was asked about, or why not."""
    if run.verdict is None:
        return "Not decided yet"
    if run.verdict == "send":
        return "Asked by mail" if run.asked else "Mail on its way"
    return NOT_ASKED.get(run.reason or "", "Not asked")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
