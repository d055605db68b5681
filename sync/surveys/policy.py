"""Every number of the survey policy in one table, and what a runner may set."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, time
from typing import Any

VERSION = "1"


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers behind each decision; stored with it.

    12 h, 30 min and the caps are reasoned defaults, not evidence: feelings
    after a run settle within minutes and fade over the day.
    """

    delay_min: int = 30
    shortest_delay_min: int = 15
    too_old_h: int = 12
    life_h: int = 24
    shortest_moving_s: int = 8 * 60
    shortest_distance_m: float = 1000
    bulk_runs: int = 2
    bulk_window_min: int = 10
    most_a_week: int = 5

    def stored(self) -> dict[str, Any]:
        return {"version": VERSION} | asdict(self)


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a runner chose in the settings; anything missing is the default."""

    ask: str = "every-run"  # every-run, every-other-run, long-runs, never
    delay_min: int = 30
    quiet_from: str = "21:30"
    quiet_until: str = "07:00"
    ask_manual: bool = False
    paused_until: str | None = None
    distance_in_mail: bool = False
    units: str = "km"
    long_run_m: float = 10_000

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Preferences":
        known = {field.name for field in fields(cls)}
        return cls(**{name: stored[name] for name in known & set(stored)})

    @property
    def quiet_hours(self) -> tuple[time, time]:
        return time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_until)

    def paused_at(self, now: datetime) -> bool:
        if self.paused_until is None:
            return False
        return now < datetime.fromisoformat(self.paused_until)

    def stopped(self) -> "Preferences":
        return replace(self, ask="never")

    def stored(self) -> dict[str, Any]:
        return asdict(self)
