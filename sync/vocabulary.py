"""The closed sets of words that the product stores and compares.

The values are those in the database, in exports and in addresses.  To change one
takes a migration; to add one takes a member, and the words that type checking then
asks for.  `sync.models.base` stores each set in a column of plain text.

A column may hold a word of no member: a newer version wrote it before a host went
back to this one.  It is read as an `unknown_word` of its set.
"""

from enum import IntEnum, StrEnum
from typing import TypeVar

MemberT = TypeVar("MemberT", bound=StrEnum)


class UnknownWord(Exception):
    """A row cannot be acted on: it holds a word that this version does not know."""


def unknown_word(members: type[MemberT], word: str) -> MemberT:
    """Return a word of no member as one of its set, so that rows with it are read.

    It equals no member and is written back as it was.
    """
    member = str.__new__(members, word)
    member._name_, member._value_ = "UNKNOWN", word
    return member


def is_unknown(word: StrEnum) -> bool:
    return word._name_ not in type(word).__members__


def require_known(word: StrEnum) -> None:
    """Raise `UnknownWord`, which names the set alone: a word may be anybody's."""
    if is_unknown(word):
        raise UnknownWord(f"a word that is no {type(word).__name__}")


class MailKind(StrEnum):
    """What a mail is for (`mail.kind`); its template has the same name."""

    SURVEY = "survey"
    SURVEY_REMINDER = "survey_reminder"
    CHECKIN = "checkin"
    SLOW_DOWN_QUESTION = "slow_down_question"
    DIGEST = "digest"
    CONFIRM_ADDRESS = "confirm_address"
    SIGN_IN_LINK = "sign_in_link"
    RECONNECT = "reconnect"
    EXPORT_READY = "export_ready"
    DISCONNECTED = "disconnected"
    DELETED = "deleted"
    UNDO = "undo"
    INACTIVE = "inactive"
    AGREE_AGAIN = "agree_again"
    ADDRESS_CHANGED = "address_changed"
    ADDRESS_IN_USE = "address_in_use"
    ADDRESS_RESTORED = "address_restored"
    STRAVA_LINKED = "strava_linked"


class SurveyKind(StrEnum):
    """What a survey asks about (`survey.kind`)."""

    RUN = "run"
    CHECKIN = "checkin"


class AnswerKind(StrEnum):
    """What an answer is about (`answer.kind`).

    `PRE_RUN` is a mood given before a run; `WELLBEING` is the monthly page.
    """

    RUN = "run"
    CHECKIN = "checkin"
    PRE_RUN = "before"
    WELLBEING = "wellbeing"


class InstrumentKind(StrEnum):
    """What an instrument's file is for; `PAGE` is one that fills a page by itself."""

    RUN = "run"
    CHECKIN = "checkin"
    PRE_RUN = "before"
    FOCUS = "focus"
    CHECKIN_FOCUS = "checkin-focus"
    PAGE = "page"


class DecisionVerdict(StrEnum):
    """Whether a run is asked about (`decision.verdict`)."""

    SEND = "send"
    WITHHOLD = "withhold"


class DecisionReason(StrEnum):
    """Why a run was asked about, or not (`decision.reason`).

    The policy gives most of them.  Some come from the run's survey or mail, if that
    was called off after the decision.
    """

    # With the verdict `SEND`.
    AFTER_RUN = "after the run"
    NEXT_MORNING = "next morning"
    DRAWN_TIME = "at a drawn time"
    # With the verdict `WITHHOLD`: the runner.
    BEFORE_LINKING = "before linking"
    NO_CONFIRMED_ADDRESS = "no confirmed address"
    STOPPED = "stopped"
    WAITING_FOR_CHOICE = "waiting for your choice"
    PAUSED = "paused"
    # The run.
    CLOCK_AHEAD = "clock ahead"
    IMPLAUSIBLE = "implausible"
    ENTERED_BY_HAND = "entered by hand"
    TOO_SHORT = "too short"
    ONLY_LONG_RUNS = "only long runs"
    TOO_OLD = "too old"
    ASKED_BEFORE = "asked before"
    ONE_OF_MANY = "one of many at once"
    # The moment.
    QUIET_HOURS = "quiet hours"
    FIVE_UNANSWERED = "five unanswered"
    ONE_A_DAY = "one a day"
    ENOUGH_THIS_WEEK = "enough this week"
    EVERY_OTHER_RUN = "every other run"
    ONCE_A_WEEK = "once a week"
    # The survey was called off, or its mail did not go out.
    REPLACED = "double"
    ANSWERED = "answered"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    RUN_GONE = "run gone"
    DISCONNECTED = "disconnected"
    STALE = "stale"
    UNREADABLE = "unreadable"
    NO_ADDRESS = "no address"
    BOUNCED_BEFORE = "bounced before"
    BOUNCED = "bounced"
    REFUSED = "refused"


class CancellationReason(StrEnum):
    """Why a survey was called off (`survey.cancelled_for`)."""

    REPLACED = "double"
    STOPPED = "stopped"
    RUN_GONE = "run gone"
    DISCONNECTED = "disconnected"

    @property
    def as_decision(self) -> DecisionReason:
        """The reason that the decision about the survey's run then gives."""
        return DecisionReason(self.value)


class SuppressionReason(StrEnum):
    """Why a mail did not go out (`mail.withheld_for`)."""

    STALE = "stale"
    UNREADABLE = "unreadable"
    NO_ADDRESS = "no address"
    BOUNCED_BEFORE = "bounced before"
    BOUNCED = "bounced"
    REFUSED = "refused"
    ANSWERED = "answered"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    REPLACED = "double"
    STOPPED = "stopped"
    PAUSED = "paused"
    RUN_GONE = "run gone"
    DISCONNECTED = "disconnected"
    # Of a reminder alone.
    SURVEY_NOT_SENT = "survey not sent"
    SURVEY_JUST_SENT = "survey just sent"
    # It had not left the instance that an imported export came from.
    IMPORTED = "brought in"

    @property
    def as_decision(self) -> DecisionReason | None:
        """The reason that a decision gives if the first mail did not go out for it.

        None for a reason that no first mail has.
        """
        return _DECISION_REASON_BY_VALUE.get(self.value)


_DECISION_REASON_BY_VALUE = {reason.value: reason for reason in DecisionReason}


class MailFault(StrEnum):
    """What keeps a mail server from taking a mail; the name of a counter, too."""

    NAME_NOT_FOUND = "name not found"
    CONNECTION_REFUSED = "connection refused"
    UNREACHABLE = "not reachable"
    CONNECTION_TIMED_OUT = "no connection in time"
    ANSWER_TIMED_OUT = "no answer in time"
    HUNG_UP = "hung up"
    NOT_SMTP = "no mail server"
    BUSY = "busy"
    SERVICE_REFUSED = "service refused"
    NO_TLS = "no TLS from the first byte"
    ONLY_TLS = "TLS from the first byte"
    TLS_FAILED = "TLS failed"
    NO_STARTTLS = "no STARTTLS"
    CERTIFICATE_UNTRUSTED = "certificate not trusted"
    CERTIFICATE_EXPIRED = "certificate expired"
    CERTIFICATE_NOT_YET_VALID = "certificate not valid yet"
    CERTIFICATE_OF_ANOTHER_NAME = "certificate for another name"
    NO_SIGN_IN = "no sign-in"
    UNKNOWN_SIGN_IN = "no sign-in by password"
    PASSWORD_REFUSED = "password refused"  # noqa: S105 - names a fault
    SIGN_IN_REQUIRED = "sign-in required"
    SENDER_REFUSED = "sender refused"
    RECIPIENT_UNKNOWN = "recipient unknown"
    MAILBOX_FULL = "mailbox full"
    TOO_LARGE = "too large"
    QUOTA_USED_UP = "sending quota used up"
    CONTENT_REFUSED = "content refused"
    NOT_FORESEEN = "not foreseen"


class BrokerFault(StrEnum):
    """What keeps Redis from taking a wake-up; `/readyz` says it in these words."""

    ADDRESS = "address not usable"
    NAME_NOT_FOUND = "name not found"
    CONNECTION_REFUSED = "connection refused"
    UNREACHABLE = "not reachable"
    TIMED_OUT = "no answer in time"
    HUNG_UP = "hung up"
    NOT_REDIS = "no Redis"
    NO_TLS = "TLS failed"
    CERTIFICATE = "certificate not trusted"
    PASSWORD_REFUSED = "password refused"  # noqa: S105 - names a fault
    NO_PERMISSION = "no permission"
    PROTECTED = "protected mode"
    NO_SUCH_DATABASE = "no such database"
    READ_ONLY = "read-only"
    CANNOT_SAVE = "cannot save"
    MEMORY_FULL = "memory full"
    LOADING = "loading"
    TOO_MANY_CLIENTS = "too many clients"
    CLUSTER = "cluster"
    NOT_FORESEEN = "not foreseen"


class StorageFault(StrEnum):
    """What keeps the tables from being written; `/readyz` says it in these words."""

    DOWN = "down"
    FULL = "disk full"
    READ_ONLY = "read-only"
    DAMAGED = "damaged"
    WRITE_FAILED = "cannot be written"


class DrawReason(StrEnum):
    """What came of a day's draw for a check-in (`checkin_draw.reason`)."""

    DRAWN = "drawn"
    NOT_DRAWN = "not drawn"
    QUIET_HOURS = "quiet hours"
    TOO_LATE = "too late"
    ONE_A_DAY = "one a day"
    ENOUGH_THIS_WEEK = "enough this week"


class ConsentKind(StrEnum):
    """What a runner agrees to (`consent.kind`); `PRIVATE` covers private runs."""

    STRAVA = "strava"
    MOOD = "mood"
    MAIL = "mail"
    ADULT = "adult"
    PRIVATE = "private"


class RunSource(StrEnum):
    """Where a run comes from (`run.source`).

    `EXPORT` is a runner's own copy of their Strava data; `HAND` is a run that the
    runner's answer retained after the link to Strava was cut.
    """

    STRAVA = "strava"
    EXPORT = "export"
    HAND = "hand"


class Visibility(StrEnum):
    """Who may see an activity on Strava (`run.visibility`), in Strava's words."""

    EVERYONE = "everyone"
    FOLLOWERS_ONLY = "followers_only"
    ONLY_ME = "only_me"


class EventSubject(StrEnum):
    """What an event of Strava's webhook is about (`event.subject`)."""

    ACTIVITY = "activity"
    ATHLETE = "athlete"


class EventAspect(StrEnum):
    """What happened to an event's subject (`event.aspect`)."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class SignatureVerdict(StrEnum):
    """What the signature of a delivery is worth; the names of its counters."""

    RIGHT = "right"
    MISSING = "missing"
    WRONG = "wrong"
    TOO_OLD = "too old"


class BackfillDelay(StrEnum):
    """What the import of a past waits for (`backfill.waiting_for`).

    `LIMIT` is Strava's rate limit; `STRAVA` is any other failure there.
    """

    LIMIT = "limit"
    STRAVA = "strava"


class ReconcileStop(StrEnum):
    """Why reconciling with Strava's list was not applied (`sweep.stopped_for`)."""

    WOULD_DELETE_EVERYTHING = "would delete everything"


class RemovalKind(StrEnum):
    """Which removal of a runner has begun (`runner.leaving_for`)."""

    DISCONNECT = "disconnect"
    DELETE = "delete"


class MailLinkPurpose(StrEnum):
    """What a one-use link from a mail does (`mail_link.purpose`)."""

    CONFIRM_ADDRESS = "confirm"
    SIGN_IN = "sign in"
    UNDO_DELETION = "undo"
    STAY = "stay"
    UNDO_ADDRESS = "undo address"
    UNDO_STRAVA = "undo strava"


class SignInMethod(StrEnum):
    """What a runner signed in with (`sign_in.method`)."""

    STRAVA = "strava"
    MAIL = "mail"


class SignedLinkPurpose(StrEnum):
    """What a link without a sign-in and without an end does; part of its signature."""

    UNSUBSCRIBE = "unsubscribe"
    PRE_RUN = "before"


class SealedColumn(StrEnum):
    """A column whose values are sealed; part of what a seal authenticates."""

    VAULT_KEY = "runner.vault_key"
    ADDRESS = "runner.email"
    LINK_ADDRESS = "mail_link.email"
    STRAVA_ACCESS = "connection.access_token"
    STRAVA_REFRESH = "connection.refresh_token"
    MAIL = "mail.sealed"
    ANSWER = "answer.sealed"
    ANSWER_NOTE = "answer_note.sealed"
    FIGURE_DECISION = "figure_decision.sealed"
    EXPORT = "export.sealed"


class KeyUse(StrEnum):
    """What a key is for that is derived from the host's secret; part of its making."""

    SEAL = "seal records"
    ADDRESS_LOOKUP = "lookup"
    LIMITS = "limits"
    BROWSER_HANDLES = "browser handles"
    CONFIRMATION_CODES = "confirmation codes"
    FORMS = "forms"
    CHECKIN_DRAWS = "check-in draws"
    DELAY_DRAWS = "delay draws"


class AskFrequency(StrEnum):
    """How often a runner is asked after runs (`Preferences.ask`).

    `WAITING_FOR_CHOICE` is set by five ignored questions in a row; only the runner's
    own choice ends it.
    """

    EVERY_RUN = "every-run"
    EVERY_OTHER_RUN = "every-other-run"
    WEEKLY = "weekly"
    LONG_RUNS = "long-runs"
    NEVER = "never"
    WAITING_FOR_CHOICE = "waiting"


class DistanceUnit(StrEnum):
    """The unit in which a runner reads distances (`Preferences.units`)."""

    KM = "km"
    MI = "mi"

    @property
    def metres(self) -> float:
        return 1609.344 if self is DistanceUnit.MI else 1000.0


class WeekStart(StrEnum):
    """The day that a runner's week begins with (`Preferences.week_starts`)."""

    MONDAY = "monday"
    SUNDAY = "sunday"

    @property
    def weekday(self) -> int:
        """The day's number as `date.weekday` counts, from 0 for Monday."""
        return 6 if self is WeekStart.SUNDAY else 0


class Mood(IntEnum):
    """A mood as answers store it; tiles count the same five from 1 to 5."""

    AWFUL = -2
    LOW = -1
    OK = 0
    GOOD = 1
    GREAT = 2

    @classmethod
    def from_tile(cls, tile: int) -> "Mood":
        """Return the mood of a tile, 1 to 5; another number is a ValueError."""
        return cls(tile - _MIDDLE_TILE)

    @property
    def tile(self) -> int:
        return self.value + _MIDDLE_TILE


_MIDDLE_TILE = 3


class LinkStage(StrEnum):
    """How far a runner's link to Strava is."""

    IMPORTING = "importing"
    LINKED = "linked"
    DISCONNECTED = "disconnected"


class ClaimStatus(StrEnum):
    """What a runner's own answers say of a claim of the article (`claims.csv`)."""

    CLEAR = "clear"
    EARLY = "early sign"
    NO_LINK = "no clear link so far"
    TOO_FEW = "too few answers"
    NOT_ASKED = "not asked yet"
    PICTURE = "picture only"
    UNTESTABLE = "cannot be tested on one person"
