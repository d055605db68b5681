"""When two recordings are one run, and which of them counts.  Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MIN_OVERLAP = 0.8
MAX_DISTANCE_GAP = 0.1
# A phone is started before the run, or left on after it.  It spans the watch's time,
# with as much motion, and begins or ends near it.  A second run begins when the first
# is over, so neither end of it is that near.  As a share of the shorter time in motion.
MAX_EDGE_GAP = 0.5
# A watch that stopped too early, or began too late, has most of what the phone has, at
# its pace.  Of two watches one may be another runner's.
MIN_PART = 0.6
MAX_PART_EDGE_GAP = 0.1
MAX_PACE_GAP = 0.1
MAX_PARALLEL = 4  # nobody begins more recordings during one
# Phones call themselves this; a watch on the wrist knows the run better.
PHONE_NAMES = ("strava", "iphone", "ipad", "android", "phone")


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording; `started_at` is None when the runner hides the start.

    `elapsed_s` is the time from its start to its end, `moving_s` what counts as run.
    `source_id` tells recordings apart whichever came first.
    """

    id: int
    started_at: datetime | None
    elapsed_s: int
    distance_m: float
    manual: bool
    device: str | None
    has_elevation: bool
    is_chosen: bool
    moving_s: int
    source_id: int

    @property
    def is_watch(self) -> bool:
        device = (self.device or "").lower()
        return bool(device) and not any(phone in device for phone in PHONE_NAMES)


def find_duplicates(recordings: Sequence[Recording]) -> dict[int, int]:
    """Map each recording that does not count to the one that counts for it.

    `recordings` are in order of their starts.  All of a group are one run with each
    other: a phone that was left on joins no two runs that a watch keeps apart.
    """
    groups: list[list[Recording]] = []
    for recording in recordings:
        for group in groups[-MAX_PARALLEL:]:
            if all(are_same_run(member, recording) for member in group):
                group.append(recording)
                break
        else:
            groups.append([recording])
    return {
        duplicate.id: counted.id
        for group in groups
        for counted in [_choose_counted(group)]
        for duplicate in group
        if duplicate is not counted
    }


def never_overlap(spans: Iterable[tuple[datetime, int]]) -> bool:
    """Whether each (start, seconds) is over before the next begins, in their order."""
    latest_end: datetime | None = None
    for started_at, elapsed_s in spans:
        if latest_end is not None and started_at < latest_end:
            return False
        latest_end = started_at + timedelta(seconds=elapsed_s)
    return True


def are_same_run(first: Recording, second: Recording) -> bool:
    """Whether both recorded one run: at the same time, over the same distance.

    Whichever is named first does not matter.
    """
    if first.started_at is None or second.started_at is None:
        return False
    start_gap_s = (second.started_at - first.started_at).total_seconds()
    end_gap_s = start_gap_s + second.elapsed_s - first.elapsed_s
    overlap_s = min(first.elapsed_s, start_gap_s + second.elapsed_s) - max(
        0.0, start_gap_s
    )
    if overlap_s <= 0:
        return False  # one had ended before the other began
    edge_gap_s = min(abs(start_gap_s), abs(end_gap_s))
    shorter_s, longer_s = sorted((first.elapsed_s, second.elapsed_s))
    less_motion_s, more_motion_s = sorted((first.moving_s, second.moving_s))
    if _agree(first.distance_m, second.distance_m, MAX_DISTANCE_GAP):
        return overlap_s > MIN_OVERLAP * longer_s or (
            overlap_s > MIN_OVERLAP * shorter_s
            and less_motion_s > MIN_OVERLAP * more_motion_s
            and edge_gap_s < MAX_EDGE_GAP * less_motion_s
        )
    nearer_m, farther_m = sorted((first.distance_m, second.distance_m))
    return (
        first.is_watch != second.is_watch
        and nearer_m >= MIN_PART * farther_m
        and edge_gap_s < MAX_PART_EDGE_GAP * less_motion_s
        and _agree(
            first.distance_m * second.moving_s,
            second.distance_m * first.moving_s,
            MAX_PACE_GAP,
        )
    )


def _agree(first: float, second: float, max_gap: float) -> bool:
    """Whether two amounts differ by no more than this share of the larger one."""
    return abs(first - second) <= max_gap * max(first, second)


def _choose_counted(group: Sequence[Recording]) -> Recording:
    """Choose by the runner's choice, then whole before part, watch before phone."""
    farthest_m = max(recording.distance_m for recording in group)

    def rank(recording: Recording) -> tuple[bool, bool, bool, bool, bool, int, int]:
        return (
            recording.is_chosen,
            not recording.manual,
            recording.distance_m >= (1 - MAX_DISTANCE_GAP) * farthest_m,
            recording.is_watch,
            recording.has_elevation,
            -recording.source_id,
            -recording.id,
        )

    return max(group, key=rank)
