"""The choice of what stands on top of the dashboard.

Sentences about what mood and mileage have to do with each other come from
`sync.analytics`, never from here.
"""

from dataclasses import dataclass, replace

from sync.language import gettext as _
from sync.language import ngettext
from sync.vocabulary import LinkStage
from web.dashboard.findings import DashboardFindings
from web.formats import format_thousands

MIN_ANSWERS_FOR_HEADLINE = 15
_ALL_RUNS_URL, _ANSWERED_RUNS_URL = (
    "/dashboard#all-runs",
    "/dashboard?mood=told#all-runs",
)


@dataclass(frozen=True, slots=True)
class Headline:
    """The texts on top; `runs_url` is the list of the runs that the eyebrow counts."""

    eyebrow: str
    title: str
    text: str
    runs_url: str | None = None


def choose_headline(
    runs: int,
    answers: int,
    findings: DashboardFindings | None,
    link: LinkStage = LinkStage.LINKED,
) -> Headline:
    """Return the first finding's sentence, from 15 answers on; until then a stage."""
    stage = build_stage_headline(runs, answers, link)
    if findings is None or answers < MIN_ANSWERS_FOR_HEADLINE:
        return stage
    return replace(stage, title=findings.title, text=findings.text)


def build_stage_headline(
    runs: int, answers: int, link: LinkStage = LinkStage.LINKED
) -> Headline:
    """Say where this runner stands; claims nothing about mood and mileage."""
    if answers == 0 and link is LinkStage.IMPORTING:
        return Headline(
            _("Strava is connected"),
            _("Your runs are coming in."),
            _(
                "We read date, distance and time only. Your first question comes "
                "after your next run."
            ),
        )
    if answers == 0 and runs == 0 and link is LinkStage.DISCONNECTED:
        return Headline(
            _("Strava is disconnected"),
            _("No runs are here."),
            _("Connect Strava again, and your runs come back, with their answers."),
        )
    if answers == 0 and runs == 0:
        return Headline(
            _("Strava is connected"),
            _("All set. Go for a run."),
            _(
                "About half an hour after you finish, we’ll e-mail you one question. "
                "Answering takes a few seconds."
            ),
        )
    if answers == 0:
        return Headline(
            ngettext(
                "%(n)s run imported",
                "%(n)s runs imported",
                runs,
                n=format_thousands(runs),
            ),
            _("Your runs are in. Add your first mood."),
            _("After each new run we’ll e-mail you one question."),
            _ALL_RUNS_URL,
        )
    eyebrow = _(
        "%(answers)s from %(runs)s",
        answers=ngettext(
            "%(n)s answer", "%(n)s answers", answers, n=format_thousands(answers)
        ),
        runs=ngettext("%(n)s run", "%(n)s runs", runs, n=format_thousands(runs)),
    )
    if answers < MIN_ANSWERS_FOR_HEADLINE:
        return Headline(
            eyebrow,
            _(
                "Not enough yet: %(n)s of %(all)s runs.",
                n=answers,
                all=MIN_ANSWERS_FOR_HEADLINE,
            ),
            _("Until then you see exactly what you told us."),
            _ANSWERED_RUNS_URL,
        )
    return Headline(
        eyebrow,
        _("Your moods, run by run."),
        _("Each dot below is one run that you told us about."),
        _ANSWERED_RUNS_URL,
    )
