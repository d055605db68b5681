"""Writing a question down with the mails that will carry it, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.crypto import new_token, pairing_key, token_hash
from sync.mail import outbox
from sync.models import Run, Runner, Survey
from sync.preferences import Preferences
from sync.runtime import Runtime
from sync.surveys import instruments, store, unsubscribe
from sync.surveys.policy.parameters import Policy
from sync.surveys.policy.run_decision import Send, sessions

_LEAST_TIME_TO_LEAVE = timedelta(hours=1)
_LEAST_TIME_FOR_A_REMINDER = timedelta(minutes=5)
_QUESTION_KEEPS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Desk:
    """What lies on the desk while one runner's questions are decided."""

    runtime: Runtime
    session: Session
    runner: Runner
    linked_at: datetime
    now: datetime
    policy: Policy

    @property
    def preferences(self) -> Preferences:
        return Preferences.of(self.runner.preferences)


def run_question(desk: Desk, run: Run, verdict: Send) -> Survey:
    """Promise the survey about a run, which takes the place of earlier ones."""
    earlier = _take_over(desk, run, verdict.replaces)
    token = new_token()
    survey = _new(
        desk,
        kind="run",
        token=token,
        local_day=verdict.local_day,
        send_at=verdict.at,
        expires_at=verdict.expires_at,
        tags=_tags(desk, run, earlier, reason=verdict.reason),
    )
    survey.run_id = run.id
    survey.pairing_key = pairing_key(run.source, run.source_id)
    desk.session.flush()
    _mail_about_run(desk, run, survey, verdict, token=token)
    return survey


def checkin_question(
    desk: Desk, *, at: datetime, local_day: date, focus: str | None
) -> Survey:
    """Promise a check-in."""
    token = new_token()
    expires_at = at + timedelta(hours=desk.policy.checkin_life_h)
    survey = _new(
        desk,
        kind="checkin",
        token=token,
        local_day=local_day,
        send_at=at,
        expires_at=expires_at,
        tags={"probability": desk.policy.checkin_probability},
    )
    survey.focus = focus
    desk.session.flush()
    _mail(
        desk,
        survey,
        kind="checkin",
        values=_values(desk, survey, token) | {"zone": desk.runner.zone},
        due_at=at,
        stale_at=at + _LEAST_TIME_TO_LEAVE,
    )
    return survey


def slow_down_question(desk: Desk, *, unanswered: int) -> None:
    """Stop asking, and ask once how to go on."""
    runner = desk.runner
    runner.preferences = desk.preferences.slowed(desk.now).stored()
    outbox.promise(
        desk.session,
        sealer=desk.runtime.sealer,
        now=desk.now,
        dedupe_key=f"slow-down:{runner.id}:{desk.now:%Y%m%d%H%M%S}",
        kind="slow_down_question",
        runner_id=runner.id,
        values={
            "unsubscribe_token": unsubscribe.token_for(desk.runtime, runner.id),
            "unanswered": unanswered,
        },
        stale_at=desk.now + _QUESTION_KEEPS,
    )


def _mail_about_run(
    desk: Desk, run: Run, survey: Survey, verdict: Send, *, token: str
) -> None:
    """Promise the mail, and its one reminder if there is to be one."""
    ended_at = verdict.expires_at - timedelta(hours=desk.policy.life_h)
    values = _values(desk, survey, token) | {
        "zone": run.zone or desk.runner.zone,
        "run_started_at": run.started_at if run.start_known else None,
    }
    distance = {
        "distance_m": run.distance_m if desk.preferences.distance_in_mail else None,
        "units": desk.preferences.units,
    }
    # One that could not leave in time would measure something else.
    too_old_at = ended_at + timedelta(hours=desk.policy.too_old_h)
    _mail(
        desk,
        survey,
        kind="survey",
        values=values | distance,
        due_at=verdict.at,
        stale_at=max(too_old_at, verdict.at + _LEAST_TIME_TO_LEAVE),
    )
    if verdict.remind_at is None:
        return
    too_late_at = ended_at + timedelta(hours=desk.policy.reminder_until_h)
    _mail(
        desk,
        survey,
        kind="survey_reminder",
        values=values,
        due_at=verdict.remind_at,
        stale_at=max(too_late_at, verdict.remind_at + _LEAST_TIME_FOR_A_REMINDER),
    )


def _take_over(desk: Desk, run: Run, replaced: Sequence[int]) -> list[Run]:
    """Call off the day's earlier questions; return the runs they were about."""
    run_ids: list[int] = []
    for survey_id in replaced:
        survey = desk.session.get_one(Survey, survey_id)
        survey.cancelled_for = "double"
        outbox.cancel(desk.session, survey_id, "double")
        run_ids += survey.tags.get("earlier_runs", [])
        if survey.run_id is not None:
            run_ids.append(survey.run_id)
    return list(
        desk.session.scalars(
            select(Run).where(Run.id.in_(run_ids), Run.id != run.id)
        ).all()
    )


def _tags(
    desk: Desk, run: Run, earlier: Sequence[Run], *, reason: str
) -> dict[str, Any]:
    """Return what the answer keeps: which runs it is about, and how it came."""
    tags: dict[str, Any] = {}
    if earlier:
        runs = [store.facts(each) for each in (*earlier, run)]
        tags["sessions"] = sessions(runs, desk.policy)
        tags["earlier_runs"] = [each.id for each in earlier]
    if run.race:
        tags["race"] = True
    if reason == "next morning":
        tags["next_morning"] = True
    return tags


def _new(desk: Desk, *, kind: str, token: str, **columns: Any) -> Survey:
    library = instruments.library(desk.runtime.settings.data_dir)
    survey = Survey(
        runner_id=desk.runner.id,
        kind=kind,
        token_hash=token_hash(token),
        instrument=library.current(kind).id,
        # By runner and never by mail, so that a bias for the first shows.
        reversed_order=desk.runner.id % 2 == 1,
        focus=desk.preferences.focus or None,
        created_at=desk.now,
        **columns,
    )
    desk.session.add(survey)
    return survey


def _values(desk: Desk, survey: Survey, token: str) -> dict[str, Any]:
    return {
        "token": token,
        "unsubscribe_token": unsubscribe.token_for(desk.runtime, desk.runner.id),
        "expires_at": survey.expires_at,
        "reversed_order": survey.reversed_order,
    }


def _mail(  # noqa: PLR0913
    desk: Desk,
    survey: Survey,
    *,
    kind: str,
    values: Mapping[str, Any],
    due_at: datetime,
    stale_at: datetime,
) -> None:
    outbox.promise(
        desk.session,
        sealer=desk.runtime.sealer,
        now=desk.now,
        dedupe_key=f"{kind}:{survey.id}",
        kind=kind,
        runner_id=desk.runner.id,
        survey_id=survey.id,
        values=values,
        due_at=due_at,
        stale_at=stale_at,
    )
