"""When two recordings are one run, and which of them counts.  Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MIN_OVERLAP = 0.8
MAX_DISTANCE_GAP = 0.1
MAX_PARALLEL = 4  # nobody begins more recordings during one
# Phones call themselves this; a watch on the wrist knows the run better.
PHONE_NAMES = ("strava", "iphone", "ipad", "android", "phone")


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording; `started_at` is None when the runner hides the start."""

    id: int
    started_at: datetime | None
    elapsed_s: int
    distance_m: float
    manual: bool
    device: str | None
    has_elevation: bool
    is_chosen: bool


def find_duplicates(recordings: Sequence[Recording]) -> dict[int, int]:
    """Map each recording that does not count to the one that counts for it.

    `recordings` are in order of their starts.
    """
    groups: list[list[Recording]] = []
    for recording in recordings:
        for group in groups[-MAX_PARALLEL:]:
            if are_same_run(group[0], recording):
                group.append(recording)
                break
        else:
            groups.append([recording])
    return {
        duplicate.id: counted.id
        for group in groups
        for counted in [max(group, key=_rank)]
        for duplicate in group
        if duplicate is not counted
    }


def never_overlap(spans: Iterable[tuple[datetime, int]]) -> bool:
    """Whether each (start, seconds) is over before the next begins, in their order."""
    ended_at: datetime | None = None
    for started_at, elapsed_s in spans:
        if ended_at is not None and started_at < ended_at:
            return False
        ended_at = started_at + timedelta(seconds=elapsed_s)
    return True


def are_same_run(first: Recording, second: Recording) -> bool:
    """Whether both were made at the same time over the same distance."""
    longer_s = max(first.elapsed_s, second.elapsed_s)
    starts = (first.started_at, second.started_at)
    if starts[0] is None or starts[1] is None:
        return False
    if abs((starts[1] - starts[0]).total_seconds()) >= longer_s:
        return False  # one had ended before the other began
    ends = (
        starts[0] + timedelta(seconds=first.elapsed_s),
        starts[1] + timedelta(seconds=second.elapsed_s),
    )
    overlap = min(ends) - max(starts[0], starts[1])
    distance_gap_m = abs(first.distance_m - second.distance_m)
    return (
        overlap.total_seconds() > MIN_OVERLAP * longer_s
        and distance_gap_m
        <= MAX_DISTANCE_GAP * max(first.distance_m, second.distance_m)
    )


def _rank(recording: Recording) -> tuple[bool, bool, bool, bool, int]:
    """Order recordings: the runner's choice, then watch before phone before hand."""
    device = (recording.device or "").lower()
    is_watch = bool(device) and not any(phone in device for phone in PHONE_NAMES)
    return (
        recording.is_chosen,
        not recording.manual,
        is_watch,
        recording.has_elevation,
        -recording.id,
    )
