"""What a decision about a run says to its runner: one sentence, or a few words.  Pure.

Every reason is matched by name, so that a new one without words does not type-check.
The matches are a chain: each hands the reasons of the next groups on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from sync.language import gettext as _
from sync.language import ngettext, translatable
from sync.vocabulary import DecisionReason, is_unknown

_RunnerReason: TypeAlias = Literal[
    DecisionReason.BEFORE_LINKING,
    DecisionReason.NO_CONFIRMED_ADDRESS,
    DecisionReason.NO_ADDRESS,
    DecisionReason.STOPPED,
    DecisionReason.WAITING_FOR_CHOICE,
    DecisionReason.PAUSED,
]
_RecordingReason: TypeAlias = Literal[
    DecisionReason.IMPLAUSIBLE,
    DecisionReason.ENTERED_BY_HAND,
]
_RunReason: TypeAlias = Literal[
    DecisionReason.TOO_SHORT,
    DecisionReason.ONLY_LONG_RUNS,
    DecisionReason.ASKED_BEFORE,
    DecisionReason.ONE_OF_MANY,
]
_TimingReason: TypeAlias = Literal[
    DecisionReason.QUIET_HOURS,
    DecisionReason.ONE_A_DAY,
    DecisionReason.ENOUGH_THIS_WEEK,
    DecisionReason.EVERY_OTHER_RUN,
    DecisionReason.ONCE_A_WEEK,
]
_SurveyReason: TypeAlias = Literal[
    DecisionReason.REPLACED,
    DecisionReason.ANSWERED,
    DecisionReason.SKIPPED,
    DecisionReason.CANCELLED,
    DecisionReason.FIVE_UNANSWERED,
]
_UndeliveredReason: TypeAlias = Literal[
    DecisionReason.STALE,
    DecisionReason.UNREADABLE,
    DecisionReason.REFUSED,
    DecisionReason.BOUNCED,
    DecisionReason.BOUNCED_BEFORE,
    DecisionReason.DISCONNECTED,
    DecisionReason.RUN_GONE,
]
_WithholdReason: TypeAlias = (
    _RunnerReason
    | _RecordingReason
    | _RunReason
    | _TimingReason
    | _SurveyReason
    | _UndeliveredReason
)
_ASKED_SENTENCES: Mapping[DecisionReason, str] = {
    DecisionReason.AFTER_RUN: translatable("Asked after the run."),
    DecisionReason.NEXT_MORNING: translatable(
        "Asked the next morning, after your quiet hours."
    ),
    DecisionReason.DRAWN_TIME: translatable(
        "Asked after the run, at a time that was drawn at random."
    ),
}
_MINUTES_PER_HOUR, _MINUTES_PER_DAY = 60, 24 * 60
_MAX_HOURS_SHOWN = 48


@dataclass(frozen=True, slots=True)
class _ReasonText:
    """The English words of a reason against asking.

    `label` is for a table, `clause` follows a colon in a sentence.
    """

    label: str
    clause: str


# A newer version decided about the run, before its host went back to this one.
_UNKNOWN = _ReasonText(
    translatable("Reason not known here"),
    translatable("the reason is one that this version does not know"),
)


def label_reason(reason: DecisionReason) -> str:
    """Return in a few words why a run was asked about, or not."""
    match reason:
        case (
            DecisionReason.AFTER_RUN
            | DecisionReason.NEXT_MORNING
            | DecisionReason.DRAWN_TIME
        ):
            return _("Asked by mail")
        case DecisionReason.TOO_OLD:
            return _("Reached us too late")
        case DecisionReason.CLOCK_AHEAD:
            return _("Clock was ahead")
        case _:
            text = _UNKNOWN if is_unknown(reason) else _get_text(reason)
            return _(text.label)


def explain_decision(
    reason: DecisionReason, minutes_since_end: int | None = None
) -> str:
    """Return the sentence that says why a run was asked about, or not.

    `minutes_since_end` is the age of the run when it was decided, if known.
    """
    match reason:
        case (
            DecisionReason.AFTER_RUN
            | DecisionReason.NEXT_MORNING
            | DecisionReason.DRAWN_TIME
        ):
            return _(_ASKED_SENTENCES[reason])
        case DecisionReason.CLOCK_AHEAD:
            return _("No survey: by its clock, the run began after we heard of it.")
        case DecisionReason.TOO_OLD:
            if minutes_since_end is None:
                return _("No survey: the run was too old when Strava told us.")
            return _(
                "No survey: the run was %(age)s old when Strava told us.",
                age=_format_age(minutes_since_end),
            )
        case _:
            text = _UNKNOWN if is_unknown(reason) else _get_text(reason)
            return _("No survey: %(why)s.", why=_(text.clause))


def _format_age(minutes: int) -> str:
    if minutes < _MINUTES_PER_HOUR:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes)
    if minutes < _MAX_HOURS_SHOWN * _MINUTES_PER_HOUR:
        return ngettext("%(n)s hour", "%(n)s hours", minutes // _MINUTES_PER_HOUR)
    return ngettext("%(n)s day", "%(n)s days", minutes // _MINUTES_PER_DAY)


def _get_text(reason: _WithholdReason) -> _ReasonText:
    match reason:
        case DecisionReason.BEFORE_LINKING:
            return _ReasonText(
                translatable("Before you connected"),
                translatable("it was run before you linked Strava"),
            )
        case DecisionReason.NO_CONFIRMED_ADDRESS | DecisionReason.NO_ADDRESS:
            return _ReasonText(
                translatable("No confirmed address"),
                translatable("there was no confirmed e-mail address to write to"),
            )
        case DecisionReason.STOPPED:
            return _ReasonText(
                translatable("Mails were stopped"),
                translatable("you had switched the questions off"),
            )
        case DecisionReason.WAITING_FOR_CHOICE:
            return _ReasonText(
                translatable("Waiting for your choice"),
                translatable(
                    "several questions had stayed unanswered, and we wait until "
                    "you choose how to go on"
                ),
            )
        case DecisionReason.PAUSED:
            return _ReasonText(
                translatable("Paused"),
                translatable("you had paused the questions"),
            )
        case _:
            return _get_recording_text(reason)


def _get_recording_text(
    reason: _RecordingReason
    | _RunReason
    | _TimingReason
    | _SurveyReason
    | _UndeliveredReason,
) -> _ReasonText:
    match reason:
        case DecisionReason.IMPLAUSIBLE:
            return _ReasonText(
                translatable("Distance and time do not fit"),
                translatable("nobody runs this distance in this time"),
            )
        case DecisionReason.ENTERED_BY_HAND:
            return _ReasonText(
                translatable("Entered by hand"),
                translatable("the run was entered by hand"),
            )
        case _:
            return _get_run_text(reason)


def _get_run_text(
    reason: _RunReason | _TimingReason | _SurveyReason | _UndeliveredReason,
) -> _ReasonText:
    match reason:
        case DecisionReason.TOO_SHORT:
            return _ReasonText(
                translatable("Too short"),
                translatable("the run was too short to ask about"),
            )
        case DecisionReason.ONLY_LONG_RUNS:
            return _ReasonText(
                translatable("Not a long run"),
                translatable("you asked for questions after long runs only"),
            )
        case DecisionReason.ASKED_BEFORE:
            return _ReasonText(
                translatable("Asked before"),
                translatable("you had been asked about this run before"),
            )
        case DecisionReason.ONE_OF_MANY:
            return _ReasonText(
                translatable("One of many at once"),
                translatable(
                    "several runs arrived at once, and only the newest counts"
                ),
            )
        case _:
            return _get_timing_text(reason)


def _get_timing_text(
    reason: _TimingReason | _SurveyReason | _UndeliveredReason,
) -> _ReasonText:
    match reason:
        case DecisionReason.QUIET_HOURS:
            return _ReasonText(
                translatable("Quiet hours"),
                translatable(
                    "by the end of your quiet hours it would have been too late"
                ),
            )
        case DecisionReason.ONE_A_DAY:
            return _ReasonText(
                translatable("One mail a day"),
                translatable("you had been asked that day already"),
            )
        case DecisionReason.ENOUGH_THIS_WEEK:
            return _ReasonText(
                translatable("Enough mails that week"),
                translatable("you had had enough mails from us that week"),
            )
        case DecisionReason.EVERY_OTHER_RUN:
            return _ReasonText(
                translatable("Every other run"),
                translatable("you asked for questions after every other run only"),
            )
        case DecisionReason.ONCE_A_WEEK:
            return _ReasonText(
                translatable("One question a week"),
                translatable("you asked for one question a week"),
            )
        case _:
            return _get_survey_text(reason)


def _get_survey_text(reason: _SurveyReason | _UndeliveredReason) -> _ReasonText:
    match reason:
        case DecisionReason.FIVE_UNANSWERED:
            return _ReasonText(
                translatable("Several unanswered"),
                translatable(
                    "the last questions had stayed unanswered, so we asked you "
                    "how to go on instead"
                ),
            )
        case DecisionReason.REPLACED:
            return _ReasonText(
                translatable("Asked with the later run"),
                translatable(
                    "you ran again that day, and the later question was about both runs"
                ),
            )
        case DecisionReason.ANSWERED:
            return _ReasonText(
                translatable("Answered before the mail"),
                translatable("you had answered before the mail was due"),
            )
        case DecisionReason.SKIPPED:
            return _ReasonText(
                translatable("Skipped"),
                translatable("you skipped it"),
            )
        case DecisionReason.CANCELLED:
            return _ReasonText(
                translatable("Called off"),
                translatable("it was called off before the mail was due"),
            )
        case _:
            return _get_undelivered_text(reason)


def _get_undelivered_text(reason: _UndeliveredReason) -> _ReasonText:
    match reason:
        case DecisionReason.RUN_GONE:
            return _ReasonText(
                translatable("Hidden or deleted on Strava"),
                translatable("the run was hidden or deleted on Strava"),
            )
        case DecisionReason.DISCONNECTED:
            return _ReasonText(
                translatable("Strava was disconnected"),
                translatable("Strava was disconnected before the mail was due"),
            )
        case DecisionReason.STALE:
            return _ReasonText(
                translatable("Mail could not leave in time"),
                translatable("the mail could not leave in time"),
            )
        case DecisionReason.UNREADABLE:
            return _ReasonText(
                translatable("Mail could not be written"),
                translatable("the mail could not be written"),
            )
        case DecisionReason.REFUSED:
            return _ReasonText(
                translatable("Mail was not taken"),
                translatable("the mail server did not take the mail"),
            )
        case DecisionReason.BOUNCED | DecisionReason.BOUNCED_BEFORE:
            return _ReasonText(
                translatable("Mail came back"),
                translatable("mails to your address came back"),
            )
        case _:
            assert_never(reason)
