"""What the policy is told about a run and its runner.  Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sync.preferences import Preferences
from sync.surveys.policy.frequency import QuestionMail, RecentQuestion
from sync.vocabulary import DecisionReason


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the policy needs to know of a run; `ended_at` is None if hidden.

    `moving_s` is what counts of its time; a `distance_m` of 0 was not measured.
    """

    run_id: int
    started_at: datetime
    ended_at: datetime | None
    learned_at: datetime
    local_day: date
    distance_m: float
    moving_s: int
    is_manual: bool
    is_race: bool = False
    is_imported: bool = False  # with the past, when the runner linked
    left_out_for: DecisionReason | None = None  # why no figure and no plan counts it


@dataclass(frozen=True, slots=True)
class Situation:
    """The runner at the moment of deciding."""

    has_address: bool
    preferences: Preferences
    zone: ZoneInfo
    recent_questions: Sequence[RecentQuestion]
    runs_at_once: int  # runs learned of within the bulk window of this one
    is_newest: bool
    runs_since_asked: int
    was_asked_before: bool = False  # this very run, before it went and came back
    recent_mails: Sequence[QuestionMail] = ()
    ignored_count: int = 0  # questions in a row that stayed unanswered
    ignored_reminder_count: int = 0
