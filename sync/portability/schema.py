"""The schema of an export's rows, checked before any of them is stored."""

import json
from datetime import UTC, date, datetime, timedelta
from math import isclose
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    model_validator,
)

from sync.bounds import FIRST_YEAR, LAST_YEAR, MAX_ID
from sync.crypto import OVERHEAD_BYTES, compute_sealed_size
from sync.surveys.answering.own_notes import MAX_NOTE_LENGTH, clean_note
from sync.vocabulary import (
    AnswerKind,
    CancellationReason,
    ConsentKind,
    DecisionReason,
    DecisionVerdict,
    DrawReason,
    MailKind,
    RunSource,
    SealedColumn,
    SuppressionReason,
    SurveyKind,
    Visibility,
)

# A day more at both ends: the bounds are years of any zone.
_MIN_TIME, _MAX_TIME = (
    datetime(FIRST_YEAR, 1, 1, tzinfo=UTC) - timedelta(days=1),
    datetime(LAST_YEAR, 12, 31, tzinfo=UTC) + timedelta(days=1),
)
_DAY_S = 24 * 3600


def _check_time(at: datetime) -> datetime:
    if not _MIN_TIME <= at <= _MAX_TIME:
        raise ValueError("no time that an export can hold")
    return at


def _check_day(day: date) -> date:
    if not _MIN_TIME.date() <= day <= _MAX_TIME.date():
        raise ValueError("no day that an export can hold")
    return day


def _check_text(text: str) -> str:
    if "\x00" in text:
        raise ValueError("a text with a character that no text has")
    return text


def _check_note(text: str) -> str:
    if clean_note(text) != text:
        raise ValueError("no line as it is kept here")
    return text


def _check_finite(values: dict[str, JsonValue]) -> dict[str, JsonValue]:
    json.dumps(values, allow_nan=False)
    return values


Time: TypeAlias = Annotated[AwareDatetime, AfterValidator(_check_time)]
Day: TypeAlias = Annotated[date, AfterValidator(_check_day)]
Text: TypeAlias = Annotated[str, Field(max_length=200), AfterValidator(_check_text)]
# As long as one that `sync.runners.rules` lets in.
Address: TypeAlias = Annotated[str, Field(max_length=254), AfterValidator(_check_text)]
# Keyed with the runner's own secret; 64 digits, the plain hash, in earlier exports.
KEY_PATTERN = r"^([0-9a-f]{32}|[0-9a-f]{64})$"
Key: TypeAlias = Annotated[str, Field(pattern=KEY_PATTERN)]
Secret: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Id: TypeAlias = Annotated[int, Field(ge=0, le=MAX_ID)]
Count: TypeAlias = Annotated[int, Field(ge=0, lt=2**31)]
Minutes: TypeAlias = Annotated[int, Field(gt=-(2**31), lt=2**31)]
Offset: TypeAlias = Annotated[int, Field(ge=-_DAY_S, le=_DAY_S)]
Metres: TypeAlias = Annotated[float, Field(ge=0, le=5_000_000, allow_inf_nan=False)]
Height: TypeAlias = Annotated[float, Field(ge=-1e5, le=1e6, allow_inf_nan=False)]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
DelayHours: TypeAlias = Annotated[int, Field(ge=0, le=24)]
Odds: TypeAlias = Annotated[
    dict[Annotated[str, Field(pattern=r"^(1?[0-9]|2[0-4])$")], Share],
    Field(min_length=2, max_length=25),
]
AnswerValues: TypeAlias = Annotated[
    dict[
        Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")],
        Annotated[int, Field(ge=-(10**7), le=10**7)],
    ],
    Field(max_length=60),
]
# Sixty keys of thirty characters, and values of nine, in JSON and sealed.
MAX_ANSWER_BYTES = compute_sealed_size(
    SealedColumn.ANSWER, 60 * (30 + 9 + len('"":,')) + len("{}") + OVERHEAD_BYTES
)
Tags: TypeAlias = Annotated[
    dict[Text, JsonValue], Field(max_length=60), AfterValidator(_check_finite)
]


class ExportRecord(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False
    )

    def values(self, *excluded: str) -> dict[str, Any]:
        """Return the row's values by column, without the excluded ones."""
        return {name: value for name, value in self if name not in excluded}


class RunRecord(ExportRecord):
    id: Id
    source: RunSource
    source_id: Id
    sport: Text
    started_at: Time
    start_known: bool
    zone: Text | None
    offset_s: Offset
    local_day: Day
    distance_m: Metres
    moving_s: Count
    elapsed_s: Count
    elevation_m: Height | None
    treadmill: bool
    manual: bool
    race: bool
    with_others: bool
    device: Text | None
    visibility: Visibility
    fetched_at: Time
    # Earlier exports lack it; what follows from it is computed anew.
    first_seen_at: Time | None = None
    clock_ahead: bool = False
    trusted_elapsed_s: Count = 0
    trusted_moving_s: Count = 0
    implausible: bool = False
    hidden_at: Time | None
    undecided_since: Time | None
    imported: bool
    counted: bool
    duplicate_of: Id | None
    chosen: bool


class SurveyRecord(ExportRecord):
    id: Id
    run_id: Id | None
    pairing_key: Key | None
    kind: SurveyKind
    instrument: Text
    reversed_order: bool
    focus: Text | None
    tags: Tags
    local_day: Day | None
    created_at: Time
    send_at: Time
    expires_at: Time
    sent_at: Time | None
    opened_at: Time | None
    skipped_at: Time | None
    cancelled_for: CancellationReason | None


class AnswerRecord(ExportRecord):
    id: Id
    run_id: Id | None
    pairing_key: Key | None
    survey_id: Id | None
    kind: AnswerKind
    instrument: Text
    reversed_order: bool
    answered_at: Time
    changed_at: Time | None
    minutes_since_end: Minutes | None
    tags: Tags
    said: AnswerValues


class NoteValues(ExportRecord):
    note: Annotated[
        str,
        Field(min_length=1, max_length=MAX_NOTE_LENGTH),
        AfterValidator(_check_note),
    ]


class NoteRecord(ExportRecord):
    answer_id: Id
    written_at: Time
    said: NoteValues


class DecisionRecord(ExportRecord):
    run_id: Id
    verdict: DecisionVerdict
    reason: DecisionReason
    minutes_since_end: Minutes | None
    policy: Tags
    decided_at: Time


class DrawRecord(ExportRecord):
    local_day: Day
    probability: Share
    drawn: bool
    reason: DrawReason
    survey_id: Id | None
    decided_at: Time


class DelayRecord(ExportRecord):
    id: Id
    run_id: Id | None
    pairing_key: Key
    delay_h: DelayHours
    odds: Odds
    asks_at: Time
    drawn_at: Time

    @model_validator(mode="after")
    def _check_odds(self) -> Self:
        """Refuse a delay that could not have been drawn."""
        if not self.odds.get(str(self.delay_h)) or not isclose(
            sum(self.odds.values()), 1, abs_tol=1e-6
        ):
            raise ValueError("a delay that could not have been drawn")
        return self


class MailRecord(ExportRecord):
    id: Id
    survey_id: Id | None
    kind: MailKind
    message_id: Text
    created_at: Time
    due_at: Time | None
    stale_at: Time
    attempts: Count
    sent_at: Time | None
    withheld_for: SuppressionReason | None


class ConsentRecord(ExportRecord):
    id: Id
    kind: ConsentKind
    version: Text
    given_at: Time
    withdrawn_at: Time | None


class AccountRecord(BaseModel):
    """The imported fields of `account.json`; others are ignored."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)

    format: Literal[1]
    strava_athlete_id: Id | None
    created_at: Time
    zone: Text
    email: Address | None
    preferences: Tags
    pairing_secret: Secret | None = None
