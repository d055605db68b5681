"""Why a run was asked about or not, in one plain sentence for its page.  Pure."""

from collections.abc import Mapping

from sync.language import gettext as _
from sync.language import ngettext, translatable

_SUPPRESSION_TEXTS: Mapping[str, str] = {
    "before linking": translatable("it was run before you linked Strava"),
    "no confirmed address": translatable(
        "there was no confirmed e-mail address to write to"
    ),
    "no address": translatable("there was no confirmed e-mail address to write to"),
    "stopped": translatable("you had switched the questions off"),
    "waiting for your choice": translatable(
        "several questions had stayed unanswered, and we wait until you choose how "
        "to go on"
    ),
    "five unanswered": translatable(
        "the last questions had stayed unanswered, so we asked you how to go on instead"
    ),
    "paused": translatable("you had paused the questions"),
    "entered by hand": translatable("the run was entered by hand"),
    "too short": translatable("the run was too short to ask about"),
    "only long runs": translatable("you asked for questions after long runs only"),
    "asked before": translatable("you had been asked about this run before"),
    "one of many at once": translatable(
        "several runs arrived at once, and only the newest counts"
    ),
    "one a day": translatable("you had been asked that day already"),
    "enough this week": translatable("you had had enough mails from us that week"),
    "every other run": translatable(
        "you asked for questions after every other run only"
    ),
    "once a week": translatable("you asked for one question a week"),
    "quiet hours": translatable(
        "by the end of your quiet hours it would have been too late"
    ),
    "double": translatable(
        "you ran again that day, and the later question was about both runs"
    ),
    "answered": translatable("you had answered before the mail was due"),
    "skipped": translatable("you skipped it"),
    "cancelled": translatable("it was called off before the mail was due"),
    "run gone": translatable("the run was hidden or deleted on Strava"),
    "disconnected": translatable("Strava was disconnected before the mail was due"),
    "stale": translatable("the mail could not leave in time"),
    "unreadable": translatable("the mail could not be written"),
    "refused": translatable("the mail server did not take the mail"),
    "bounced": translatable("mails to your address came back"),
    "bounced before": translatable("mails to your address came back"),
}
_MINUTES_PER_HOUR, _MINUTES_PER_DAY = 60, 24 * 60
_MAX_HOURS_SHOWN = 48


def explain_decision(
    verdict: str, reason: str, minutes_since_end: int | None = None
) -> str:
    """Return the sentence; `minutes_since_end` is how old the run was when decided."""
    if verdict == "send":
        if reason == "next morning":
            return _("Asked the next morning, after your quiet hours.")
        return _("Asked after the run.")
    if reason == "too old":
        if minutes_since_end is None:
            return _("No survey: the run was too old when Strava told us.")
        return _(
            "No survey: the run was %(age)s old when Strava told us.",
            age=_format_age(minutes_since_end),
        )
    return _("No survey: %(why)s.", why=_(_SUPPRESSION_TEXTS.get(reason, reason)))


def _format_age(minutes: int) -> str:
    if minutes < _MINUTES_PER_HOUR:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes)
    if minutes < _MAX_HOURS_SHOWN * _MINUTES_PER_HOUR:
        return ngettext("%(n)s hour", "%(n)s hours", minutes // _MINUTES_PER_HOUR)
    return ngettext("%(n)s day", "%(n)s days", minutes // _MINUTES_PER_DAY)
