"""What a page says of a runner's own log of one run."""

from dataclasses import dataclass

from sync.surveys.answering.retained_runs import OwnLog
from web.formats import Unit, distance, duration


@dataclass(frozen=True, slots=True)
class OwnLogView:
    """Distance and time as they are, or would be, kept."""

    distance: str
    duration: str
    is_kept: bool
    limit_days: int | None


def own_log_view(own: OwnLog | None, unit: Unit) -> OwnLogView | None:
    if own is None:
        return None
    return OwnLogView(
        distance=distance(own.facts.distance_m, unit),
        duration=duration(own.facts.moving_s),
        is_kept=own.is_kept,
        limit_days=own.limit_days,
    )
