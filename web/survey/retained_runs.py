"""What a page says of a runner's own log of one run."""

from dataclasses import dataclass

from sync.surveys.answering.retained_runs import RetentionOffer
from sync.vocabulary import DistanceUnit
from web.formats import format_distance, format_duration


@dataclass(frozen=True, slots=True)
class RetainedRunView:
    """Distance and time as they are, or would be, kept."""

    distance: str
    duration: str
    is_retained: bool
    retention_days: int | None


def build_retained_run_view(
    retained_run: RetentionOffer | None, unit: DistanceUnit
) -> RetainedRunView | None:
    if retained_run is None:
        return None
    return RetainedRunView(
        distance=format_distance(retained_run.facts.distance_m, unit),
        duration=format_duration(retained_run.facts.moving_s),
        is_retained=retained_run.is_retained,
        retention_days=retained_run.limit_days,
    )
