"""What a runner changes about being asked, and what that calls off at once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from babel.dates import format_skeleton
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sync.consent_version import VERSION
from sync.errors import MoodmilesError
from sync.language import DEFAULT, locale, spoken
from sync.language import gettext as _
from sync.mail import outbox
from sync.models import Runner, Survey
from sync.preferences import Preferences
from sync.runners import store as runners
from sync.runtime import Runtime

log = structlog.get_logger()

FOCUS_FOR = timedelta(weeks=8)


class TooSoon(MoodmilesError):
    """The focus question was chosen less than eight weeks ago."""


def preferences(runtime: Runtime, runner_id: int) -> Preferences:
    with runtime.db.reading() as session:
        return Preferences.of(session.get_one(Runner, runner_id).preferences)


def save(runtime: Runtime, runner_id: int, changes: Mapping[str, Any]) -> None:
    """Change some preferences; mails that they forbid do not leave any more.

    Who stopped all mails, and now chooses to get some, agrees to them again.

    `zone` is the runner's own until a newer run says otherwise.

    Raises `TooSoon` when the focus question is fixed for some weeks yet.
    """
    with runtime.db.transaction() as session:
        runner = session.get_one(Runner, runner_id)
        now = runtime.db.now(session)
        before = Preferences.of(runner.preferences)
        wanted = dict(changes)
        if wanted.get("focus", before.focus) != before.focus:
            _refuse_too_soon(before, now=now)
            wanted["focus_since"] = now.isoformat()
        runner.zone = wanted.pop("zone", runner.zone)
        _refuse_without_consent(session, runner_id, {**runner.preferences, **wanted})
        runner.preferences = {**runner.preferences, **wanted}
        after = Preferences.of(runner.preferences)
        if after.wants_mail and not before.wants_mail:
            _agree_to_mails_again(session, runner, now=now)
        _call_off(session, runner_id, after, now=now)
        runners.changed(session, runner_id)
    log.info("preferences changed", runner_id=runner_id)


def focus_fixed_until(preferences: Preferences, *, now: datetime) -> datetime | None:
    """Return until when the focus question stays; None once it may change.

    At two answers a week a question needs eight of them to say anything.
    """
    if preferences.focus_since is None:
        return None
    until = datetime.fromisoformat(preferences.focus_since) + FOCUS_FOR
    return until if until > now else None


def _agree_to_mails_again(session: Session, runner: Runner, *, now: datetime) -> None:
    has_address = runner.email_confirmed_at is not None
    if has_address and not runners.agreed(session, runner.id, "mail"):
        runners.agree(session, runner.id, ["mail"], version=VERSION, at=now)


def _refuse_without_consent(
    session: Session, runner_id: int, stored: Mapping[str, Any]
) -> None:
    if not Preferences.of(stored).is_silent:
        runners.require_mood_consent(session, runner_id)


def _refuse_too_soon(preferences: Preferences, *, now: datetime) -> None:
    until = focus_fixed_until(preferences, now=now)
    if until is not None:
        raise TooSoon(
            _(
                "You chose your extra question less than eight weeks ago: it can "
                "change from %(day)s on.",
                day=_day(until),
            )
        )


def _day(at: datetime) -> str:
    if spoken() == DEFAULT:
        return f"{at.day} {at:%B}"
    return format_skeleton("MMMMd", at.date(), locale=locale())


def _call_off(
    session: Session, runner_id: int, preferences: Preferences, *, now: datetime
) -> None:
    if not preferences.digest:
        outbox.cancel_digests(session, runner_id, "stopped")
    if preferences.is_silent:
        outbox.cancel_surveys(session, runner_id, "stopped")
    elif preferences.paused_at(now):
        outbox.cancel_surveys(session, runner_id, "paused")
    elif not preferences.checkins:
        for survey_id in _unsent_checkins(session, runner_id):
            outbox.cancel(session, survey_id, "stopped")
            session.execute(
                update(Survey)
                .where(Survey.id == survey_id)
                .values(cancelled_for="stopped")
            )


def _unsent_checkins(session: Session, runner_id: int) -> list[int]:
    return list(
        session.scalars(
            select(Survey.id).where(
                Survey.runner_id == runner_id,
                Survey.kind == "checkin",
                Survey.sent_at.is_(None),
                Survey.cancelled_for.is_(None),
            )
        )
    )
