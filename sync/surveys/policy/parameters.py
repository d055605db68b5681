"""Every number of the survey policy in one table, and what a runner may set."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, time
from typing import Any

VERSION = "2"
# Five ignored questions in a row set this; only the runner's own choice ends it.
WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers behind each decision; stored with it.

    They are reasoned defaults, not evidence: feelings after a run settle
    within minutes and fade over the day, and a reminder shifts the moment of
    measuring.  A day has one question and at most one more mail about it: a
    reminder, or the same question moved behind a second run.
    """

    delay_min: int = 30
    shortest_delay_min: int = 15
    too_old_h: int = 12
    life_h: int = 24
    shortest_moving_s: int = 8 * 60
    shortest_distance_m: float = 1000
    bulk_runs: int = 2
    bulk_window_min: int = 10
    session_gap_h: int = 3
    most_mails_a_day: int = 2
    most_run_mails_a_week: int = 5
    most_checkins_a_week: int = 2
    reminder_after_h: int = 3
    reminder_until_h: int = 6
    reminders_ignored: int = 2
    slow_down_after: int = 5
    checkin_probability: float = 2 / 7
    checkin_life_h: int = 4
    checkin_from: str = "12:00"
    checkin_until: str = "20:00"
    before_pairs_h: int = 3

    def stored(self) -> dict[str, Any]:
        return {"version": VERSION} | asdict(self)


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a runner chose in the settings; anything missing is the default.

    `slowed_at` is when we last stopped by ourselves: what was ignored before
    that moment is not held against a runner who wants to be asked again.
    """

    ask: str = "every-run"  # every-other-run, long-runs, weekly, never, or WAITING
    delay_min: int = 30
    quiet_from: str = "21:30"
    quiet_until: str = "07:00"
    ask_manual: bool = False
    paused_until: str | None = None
    distance_in_mail: bool = False
    reminders: bool = True
    checkins: bool = True
    stress: bool = True
    before: bool = True
    context: bool = True
    focus: str = "energy"
    focus_since: str | None = None
    checkin_focus: str = "sleep"
    wellbeing: bool = False
    digest: bool = False
    slowed_at: str | None = None
    units: str = "km"
    week_starts: str = "monday"  # or sunday
    language: str = ""  # empty: not said yet
    country: str = ""  # two letters, for the numbers on the help page
    long_run_m: float = 10_000

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Preferences":
        known = {field.name for field in fields(cls)}
        return cls(**{name: stored[name] for name in known & set(stored)})

    @property
    def quiet_hours(self) -> tuple[time, time]:
        return time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_until)

    @property
    def slowed_since(self) -> datetime | None:
        return datetime.fromisoformat(self.slowed_at) if self.slowed_at else None

    @property
    def is_silent(self) -> bool:
        """Whether nothing at all is to be asked by mail."""
        return self.ask in {"never", WAITING}

    def paused_at(self, now: datetime) -> bool:
        if self.paused_until is None:
            return False
        return now < datetime.fromisoformat(self.paused_until)

    @property
    def wants_mail(self) -> bool:
        return self.digest or not self.is_silent

    def stopped(self) -> "Preferences":
        return replace(self, ask="never", digest=False)

    def slowed(self, now: datetime) -> "Preferences":
        return replace(self, ask=WAITING, slowed_at=now.isoformat())

    def stored(self) -> dict[str, Any]:
        return asdict(self)
