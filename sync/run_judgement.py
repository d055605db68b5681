"""What counts of the times and the distance that a run's recorder reports.  Pure.

Recorders forget the time in motion, keep running in a drawer, or record a drive.  What
they report stays as it came; what counts is judged here, and nowhere else.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sync.run_clock import judge_clock
from sync.vocabulary import DecisionReason

# Beyond every record, with room for a bad signal: 100 m in 9.6 s, 11.4 km in half an
# hour, 319 km in a day, 1,045 km in six.
_SPRINT_S, _SPRINT_M_S = 60, 12.5
_HOURS_S, _HOURS_M_S = 3 * 3600, 7.5
_ENDURANCE_M_S = 4.0
_MAX_RUN_S = 7 * 86_400  # the longest races last six days
# How far beyond that a recorder must be wrong before its run is left out: a ride that
# its rider calls a run is theirs to correct, and no reason not to ask.
_CERTAIN_ERROR = 3.0
# Who is under way for more than a day gets on; a watch in a drawer does not.
_DAY_S = 86_400
_MIN_M_S_BEYOND_A_DAY = 0.1
# A pause of more than a day that is most of a recording is no part of a run.
_MAX_ELAPSED_PER_MOVING = 10


@dataclass(frozen=True, slots=True)
class RunJudgement:
    """What counts of one run.

    `moving_s` is its duration: the time in motion, or the time from start to end
    where that one cannot be true.  `elapsed_s` leads from its start to its end.  A run
    whose `clock_ahead` began after we heard of it; one that is `implausible` is far
    beyond every record in any time that was reported.  Either is left out of figures.
    """

    moving_s: int
    elapsed_s: int
    clock_ahead: bool
    implausible: bool


def judge_run(  # noqa: PLR0913
    *,
    started_at: datetime,
    local_day: date,
    distance_m: float,
    moving_s: int,
    elapsed_s: int,
    first_seen_at: datetime,
) -> RunJudgement:
    """Judge a run by what was reported and by when we first heard of it.

    A reported time of 0 is one that was not reported.
    """
    passed = judge_clock(
        started_at=started_at,
        local_day=local_day,
        moving_s=elapsed_s,
        elapsed_s=elapsed_s,
        first_seen_at=first_seen_at,
    )
    passed_s = elapsed_s if passed.is_ahead else passed.elapsed_s
    duration_s, is_certain_error = moving_s or elapsed_s, True
    for margin in (1.0, _CERTAIN_ERROR):
        may_be_moving = can_run(distance_m, moving_s, margin=margin)
        may_be_elapsed = can_run(distance_m, passed_s, margin=margin)
        if may_be_moving or may_be_elapsed:
            is_moving = moving_s <= elapsed_s or not may_be_elapsed
            duration_s = moving_s if may_be_moving and is_moving else passed_s
            is_certain_error = False
            break
    is_pause_too_long = elapsed_s > _MAX_RUN_S or (
        elapsed_s - duration_s > _DAY_S
        and elapsed_s > _MAX_ELAPSED_PER_MOVING * duration_s
    )
    clock = judge_clock(
        started_at=started_at,
        local_day=local_day,
        moving_s=duration_s,
        elapsed_s=duration_s if is_pause_too_long else max(elapsed_s, duration_s),
        first_seen_at=first_seen_at,
    )
    is_reported = distance_m > 0 or duration_s > 0
    return RunJudgement(
        moving_s=duration_s,
        elapsed_s=clock.elapsed_s,
        clock_ahead=clock.is_ahead,
        implausible=is_reported and is_certain_error,
    )


def judge_left_out(*, clock_ahead: bool, implausible: bool) -> DecisionReason | None:
    """Return why no figure and no plan counts a run; None if they do."""
    if clock_ahead:
        return DecisionReason.CLOCK_AHEAD
    return DecisionReason.IMPLAUSIBLE if implausible else None


def can_run(distance_m: float, seconds: int, *, margin: float = 1.0) -> bool:
    """Whether a person can have spent this time on this distance, pauses included.

    `margin` is how many times farther than anybody they may have come.
    """
    if not 0 < seconds <= _MAX_RUN_S:
        return False
    if seconds > _DAY_S and distance_m < _MIN_M_S_BEYOND_A_DAY * seconds:
        return False
    return distance_m <= margin * compute_farthest_m(seconds)


def compute_farthest_m(seconds: int) -> float:
    """Return how far nobody has ever run in a time, in metres: records, and more."""
    sprint_s = min(seconds, _SPRINT_S)
    hours_s = min(seconds, _HOURS_S) - sprint_s
    endurance_s = seconds - sprint_s - hours_s
    return _SPRINT_M_S * sprint_s + _HOURS_M_S * hours_s + _ENDURANCE_M_S * endurance_s
