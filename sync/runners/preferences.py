"""What a runner changes about being asked, and what that calls off at once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from babel.dates import format_skeleton
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sync.conflicts import retry_conflicts
from sync.consent_version import VERSION
from sync.errors import MoodmilesError
from sync.language import DEFAULT_LANGUAGE, current_language, current_locale
from sync.language import gettext as _
from sync.mail import outbox
from sync.models import Runner, Survey
from sync.preferences import Preferences
from sync.runners import store as runners
from sync.runtime import Runtime
from sync.vocabulary import (
    CancellationReason,
    ConsentKind,
    SuppressionReason,
    SurveyKind,
)

log = structlog.get_logger()

FOCUS_LOCK = timedelta(weeks=8)


class AsksMore(MoodmilesError):
    """A link in a mail was to ask for more; only a signed-in runner may."""


class FocusLocked(MoodmilesError):
    """The focus question was chosen less than eight weeks ago."""


def load_preferences(runtime: Runtime, runner_id: int) -> Preferences:
    with runtime.db.read_only() as session:
        return session.get_one(Runner, runner_id).preferences


@retry_conflicts
def save_preferences(
    runtime: Runtime, runner_id: int, changes: Mapping[str, Any]
) -> None:
    """Change some preferences, and withhold the waiting mails that they forbid.

    A runner who had stopped all mails and now chooses some agrees to them again.
    `zone`, which may be among the changes, holds until a newer run says otherwise.

    Raises `FocusLocked` while the focus question cannot change yet, and what
    `require_mood_consent` raises if questions are asked without that consent.
    """
    with runtime.db.transaction(runner_id=runner_id) as session:
        runner = session.get_one(Runner, runner_id)
        now = runtime.db.now(session)
        old_preferences = runner.preferences
        updates = dict(changes)
        if updates.get("focus", old_preferences.focus) != old_preferences.focus:
            locked_until = get_focus_lock_end(old_preferences, now=now)
            if locked_until is not None:
                raise FocusLocked(
                    _(
                        "You chose your extra question less than eight weeks ago: it "
                        "can change from %(day)s on.",
                        day=_format_day(locked_until),
                    )
                )
            updates["focus_since"] = now
        runner.zone = updates.pop("zone", runner.zone)
        new_preferences = old_preferences.with_changes(**updates)
        if not new_preferences.is_asking_stopped:
            runners.require_mood_consent(session, runner_id)
        runner.preferences = new_preferences
        agrees_to_mail = (
            new_preferences.wants_mail
            and not old_preferences.wants_mail
            and runner.email_confirmed_at is not None
            and not runners.has_consent(session, runner_id, ConsentKind.MAIL)
        )
        if agrees_to_mail:
            runners.record_consents(
                session, runner_id, [ConsentKind.MAIL], version=VERSION, at=now
            )
        _cancel_disabled_mails(session, runner_id, new_preferences, now=now)
        runners.bump_data_version(session, runner_id)
    log.info("preferences changed", runner_id=runner_id, agrees_to_mail=agrees_to_mail)


@retry_conflicts
def reduce_preferences(
    runtime: Runtime, runner_id: int, changes: Mapping[str, Any]
) -> None:
    """Change some preferences so that less is asked or sent, and never more.

    That takes no sign-in, no consent and no newest text: it only takes away.  Raises
    `AsksMore` if it would not.
    """
    with runtime.db.transaction(runner_id=runner_id) as session:
        runner = session.get_one(Runner, runner_id)
        reduced = runner.preferences.with_changes(**changes)
        if not reduced.asks_no_more_than(runner.preferences):
            raise AsksMore("A link in a mail can only ask for less.")
        runner.preferences = reduced
        now = runtime.db.now(session)
        _cancel_disabled_mails(session, runner_id, reduced, now=now)
        runners.bump_data_version(session, runner_id)
    log.info("preferences reduced by a mail's link", runner_id=runner_id)


def get_focus_lock_end(preferences: Preferences, *, now: datetime) -> datetime | None:
    """Return until when the focus question stays; None once it may change.

    At two answers a week a question needs eight of them to say anything.
    """
    if preferences.focus_since is None:
        return None
    locked_until = preferences.focus_since + FOCUS_LOCK
    return locked_until if locked_until > now else None


def _format_day(at: datetime) -> str:
    if current_language() == DEFAULT_LANGUAGE:
        return f"{at.day} {at:%B}"
    return format_skeleton("MMMMd", at.date(), locale=current_locale())


def _cancel_disabled_mails(
    session: Session, runner_id: int, preferences: Preferences, *, now: datetime
) -> None:
    if not preferences.digest:
        outbox.cancel_runner_digests(session, runner_id, SuppressionReason.STOPPED)
    if preferences.is_asking_stopped:
        outbox.cancel_runner_surveys(session, runner_id, SuppressionReason.STOPPED)
    elif preferences.is_paused_at(now):
        outbox.cancel_runner_surveys(session, runner_id, SuppressionReason.PAUSED)
    elif not preferences.checkins:
        unsent_ids = session.scalars(
            select(Survey.id).where(
                Survey.runner_id == runner_id,
                Survey.kind == SurveyKind.CHECKIN,
                Survey.sent_at.is_(None),
                Survey.cancelled_for.is_(None),
            )
        ).all()
        for survey_id in unsent_ids:
            outbox.cancel_survey_mails(
                session, runner_id, survey_id, SuppressionReason.STOPPED
            )
            session.execute(
                update(Survey)
                .where(Survey.runner_id == runner_id, Survey.id == survey_id)
                .values(cancelled_for=CancellationReason.STOPPED)
            )
