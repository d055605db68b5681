"""Whether a question gets its one reminder, and when.  Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sync.mail.quiet_hours import defer_past_quiet_hours
from sync.surveys.policy.frequency import (
    QuestionMail,
    RecentQuestion,
    fits_weekly_limit,
)
from sync.surveys.policy.parameters import Policy
from sync.surveys.policy.situation import Situation
from sync.vocabulary import MailKind


def schedule_reminder(
    situation: Situation,
    policy: Policy,
    day_questions: Sequence[RecentQuestion],
    *,
    ended_at: datetime,
    send_at: datetime,
) -> datetime | None:
    """Return when to remind, unless the day has had its second mail already."""
    preferences = situation.preferences
    if (
        not preferences.reminders
        or situation.ignored_reminder_count >= policy.reminders_ignored
        or any(question.is_sent for question in day_questions)
    ):
        return None
    remind_at = _compute_reminder_time(ended_at, send_at, policy)
    if remind_at is None:
        return None
    day = send_at.astimezone(situation.zone).date()
    if remind_at.astimezone(situation.zone).date() != day:
        return None
    quiet_hours = preferences.quiet_hours
    if defer_past_quiet_hours(remind_at, quiet_hours, situation.zone) != remind_at:
        return None
    replaced_ids = {question.survey_id for question in day_questions}
    mails = [
        *(
            mail
            for mail in situation.recent_mails
            if mail.survey_id not in replaced_ids
        ),
        QuestionMail(0, MailKind.SURVEY, send_at, is_sent=False),
    ]
    max_mails = policy.most_run_mails_a_week
    return (
        remind_at
        if fits_weekly_limit(mails, at=remind_at, max_mails=max_mails)
        else None
    )


def _compute_reminder_time(
    ended_at: datetime, sent_at: datetime, policy: Policy
) -> datetime | None:
    """Return when the reminder of a mail sent then is due; None if that is too late."""
    remind_at = sent_at + timedelta(hours=policy.reminder_after_h)
    latest = ended_at + timedelta(hours=policy.reminder_until_h)
    return remind_at if remind_at <= latest else None
