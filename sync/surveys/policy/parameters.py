"""Every number of the survey policy in one table."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sync.answer_window import ANSWER_WINDOW, PRE_RUN_WINDOW, SESSION_GAP

POLICY_VERSION = "3"


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
    life_h: int = ANSWER_WINDOW // timedelta(hours=1)
    shortest_moving_s: int = 8 * 60
    shortest_distance_m: float = 1000
    bulk_runs: int = 2
    bulk_window_min: int = 10
    session_gap_h: int = SESSION_GAP // timedelta(hours=1)
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
    before_pairs_h: int = PRE_RUN_WINDOW // timedelta(hours=1)
    drawn_delays_h: tuple[int, ...] = (0, 1, 2, 4, 6)
    straight_away_min: int = 30

    def to_dict(self) -> dict[str, Any]:
        values = asdict(self) | {"drawn_delays_h": list(self.drawn_delays_h)}
        return {"version": POLICY_VERSION} | values
