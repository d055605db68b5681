"""What a runner chose in the settings, with the default of everything not chosen."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, time
from typing import Any

# Five ignored questions in a row set this; only the runner's own choice ends it.
WAITING_FOR_CHOICE = "waiting"


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
    def from_stored(cls, stored: Mapping[str, Any]) -> "Preferences":
        known_names = {field.name for field in fields(cls)}
        return cls(**{name: stored[name] for name in known_names & set(stored)})

    @property
    def quiet_hours(self) -> tuple[time, time]:
        return time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_until)

    @property
    def slowdown_started_at(self) -> datetime | None:
        return datetime.fromisoformat(self.slowed_at) if self.slowed_at else None

    @property
    def is_asking_stopped(self) -> bool:
        """Whether nothing at all is to be asked by mail."""
        return self.ask in {"never", WAITING_FOR_CHOICE}

    def is_paused_at(self, now: datetime) -> bool:
        if self.paused_until is None:
            return False
        return now < datetime.fromisoformat(self.paused_until)

    @property
    def wants_mail(self) -> bool:
        return self.digest or not self.is_asking_stopped

    def with_mails_stopped(self) -> "Preferences":
        return replace(self, ask="never", digest=False)

    def with_asking_suspended(self, now: datetime) -> "Preferences":
        return replace(self, ask=WAITING_FOR_CHOICE, slowed_at=now.isoformat())

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
