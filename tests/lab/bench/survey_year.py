"""Let 50 runners live for a year and print the mails that they would get.

Run it with `python -m tests.lab.bench.survey_year [RUNNERS] [DAYS]`.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import structlog
from sqlalchemy import func, select

from sync.mail.kinds import get_mail_spec
from sync.mail.message import MailSpec
from sync.mail.quiet_hours import defer_past_quiet_hours
from sync.models import Answer, CheckinDraw, Decision, Mail, Run, Runner, Survey
from sync.preferences import Preferences
from sync.surveys.policy.frequency import WEEK
from sync.surveys.policy.parameters import Policy
from sync.time_zones import get_zone
from tests.lab.bench.survey_world import SurveyWorld, open_world


@dataclass(frozen=True)
class SentMail:
    """One mail that went out; `zone` is where its runner was."""

    runner_id: int
    survey_id: int | None
    run_id: int | None
    kind: str
    at: datetime
    zone: str
    ended_at: datetime | None
    is_answered: bool  # its question did not move behind a second run

    @property
    def spec(self) -> MailSpec:
        return get_mail_spec(self.kind)

    @property
    def local(self) -> datetime:
        return self.at.astimezone(get_zone(self.zone))


@dataclass(frozen=True)
class SurveyReport:
    """What the time came to, and every promise that was broken."""

    sent: list[SentMail]
    reasons: Counter[tuple[str, str]]
    draws: Counter[str]
    runs: int
    answers: int
    broken: list[str]


def build_report(survey_world: SurveyWorld) -> SurveyReport:
    """Read it all back from the tables."""
    with survey_world.runtime.db.read_only() as session:
        rows = session.execute(
            select(Mail, Survey.run_id, Survey.cancelled_for, Run)
            .outerjoin(Survey, Survey.id == Mail.survey_id)
            .outerjoin(Run, Run.id == Survey.run_id)
            .where(Mail.sent_at.is_not(None))
            .order_by(Mail.sent_at)
        ).all()
        sent = [
            SentMail(
                runner_id=mail.runner_id or 0,
                survey_id=mail.survey_id,
                run_id=run_id,
                kind=mail.kind,
                at=mail.sent_at or mail.created_at,
                zone=survey_world.zones[mail.id],
                ended_at=_end(run),
                is_answered=cancelled_for is None,
            )
            for mail, run_id, cancelled_for, run in rows
        ]
        query = select(Decision.verdict, Decision.reason)
        preferences = {
            runner.id: runner.preferences for runner in session.scalars(select(Runner))
        }
        return SurveyReport(
            sent=sent,
            reasons=Counter((row[0], row[1]) for row in session.execute(query)),
            draws=Counter(session.scalars(select(CheckinDraw.reason))),
            runs=session.scalars(select(func.count()).select_from(Run)).one(),
            answers=session.scalars(select(func.count()).select_from(Answer)).one(),
            broken=[
                broken
                for runner_id, chosen in preferences.items()
                for broken in _count_violations(
                    [mail for mail in sent if mail.runner_id == runner_id], chosen
                )
            ],
        )


def _end(run: Run | None) -> datetime | None:
    return run.started_at + timedelta(seconds=run.elapsed_s) if run else None


def _count_violations(mails: list[SentMail], preferences: Preferences) -> list[str]:
    """Name each promise that one runner's mails break."""
    policy = Policy()
    run_mails = [mail for mail in mails if mail.spec.asks_about_run]
    checkins = [mail for mail in mails if mail.kind == "checkin"]
    first_mails = [mail for mail in mails if mail.spec.asks_first]
    firsts = Counter(mail.run_id for mail in first_mails if mail.run_id)
    reminders = Counter(m.survey_id for m in mails if m.kind == "survey_reminder")
    a_day = Counter(
        mail.local.date() for mail in mails if mail.spec.question is not None
    )
    questions = Counter(mail.local.date() for mail in first_mails if mail.is_answered)
    limits = {
        "run mails in seven days": (
            _max_in_week(run_mails),
            policy.most_run_mails_a_week,
        ),
        "check-ins in seven days": (
            _max_in_week(checkins),
            policy.most_checkins_a_week,
        ),
        "mails a day": (max(a_day.values(), default=0), policy.most_mails_a_day),
        "questions a day": (max(questions.values(), default=0), 1),
        "mails about one run": (max(firsts.values(), default=0), 1),
        "reminders of one": (max(reminders.values(), default=0), 1),
        "mails in quiet hours": (sum(_is_quiet(m, preferences) for m in mails), 0),
    }
    return [
        f"{count} {description}"
        for description, (count, max_count) in limits.items()
        if count > max_count
    ]


def _max_in_week(mails: list[SentMail]) -> int:
    """Return the most mails in any seven days."""
    return max(
        (sum(first.at <= m.at < first.at + WEEK for m in mails) for first in mails),
        default=0,
    )


def _is_quiet(mail: SentMail, preferences: Preferences) -> bool:
    awake = defer_past_quiet_hours(
        mail.at, preferences.quiet_hours, get_zone(mail.zone)
    )
    return awake != mail.at


def hours_after(sent: Iterable[SentMail]) -> list[float]:
    return [
        (mail.at - mail.ended_at) / timedelta(hours=1)
        for mail in sent
        if mail.kind == "survey" and mail.ended_at is not None
    ]


def print_report(
    survey_world: SurveyWorld, survey_report: SurveyReport, *, days: int
) -> None:
    print(f"{len(survey_world.habits)} runners, {days} days, {survey_report.runs} runs")
    print(
        f"\n{'habit':<15}{'runners':>8}{'surveys':>9}{'reminders':>11}"
        f"{'check-ins':>11}{'most in 7 days':>16}   (mails a runner-week)"
    )
    for name in dict.fromkeys(habit.name for habit in survey_world.habits.values()):
        _print_habit(survey_world, survey_report, name, weeks=days / 7)
    print("\ndecisions, one for each run")
    for (verdict, reason), count in survey_report.reasons.most_common():
        print(f"  {verdict:<9}{reason:<28}{count:>7}{count / survey_report.runs:>8.1%}")
    print("\nthe days' draws for a check-in")
    for reason, count in survey_report.draws.most_common():
        print(f"  {reason:<37}{count:>7}{count / survey_report.draws.total():>8.1%}")
    hours = sorted(hours_after(survey_report.sent))
    cuts = quantiles(hours, n=100)
    print(
        f"\nhours from the run's end to its mail: median {median(hours):.2f}, "
        f"90 % {cuts[89]:.2f}, 99 % {cuts[98]:.2f}, most {hours[-1]:.2f}"
    )
    first_mail_count = sum(mail.spec.asks_first for mail in survey_report.sent)
    print(f"questions sent {first_mail_count}, answered {survey_report.answers}")
    print(
        f"promises broken: {len(survey_report.broken)}",
        *survey_report.broken,
        sep="\n  ",
    )


def _print_habit(
    survey_world: SurveyWorld, survey_report: SurveyReport, name: str, *, weeks: float
) -> None:
    runners = [
        number for number, habit in survey_world.habits.items() if habit.name == name
    ]
    mails = [mail for mail in survey_report.sent if mail.runner_id in runners]
    kinds = Counter(mail.kind for mail in mails)
    per_week = [
        kinds[kind] / len(runners) / weeks
        for kind in ("survey", "survey_reminder", "checkin")
    ]
    max_count = max(
        _max_in_week(
            [m for m in mails if m.runner_id == number and m.spec.asks_about_run]
        )
        for number in runners
    )
    print(
        f"{name:<15}{len(runners):>8}{per_week[0]:>9.2f}{per_week[1]:>11.2f}"
        f"{per_week[2]:>11.2f}{max_count:>16}"
    )


def main(runners: int = 50, days: int = 365) -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with (
        TemporaryDirectory() as folder,
        open_world(Path(folder), runners=runners, days=days) as survey_world,
    ):
        survey_world.simulate_days(days)
        survey_report = build_report(survey_world)
        print_report(survey_world, survey_report, days=days)
    return (
        1
        if survey_report.broken or survey_report.runs != survey_report.reasons.total()
        else 0
    )


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
