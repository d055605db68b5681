"""The distribution of moods by ranges of 7-day distance."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from sync.analytics.dataset.run_rows import RunTable
from sync.language import gettext
from sync.vocabulary import DistanceUnit
from web.charts import mood_bars
from web.dashboard.filters import RunFilter
from web.dashboard.headline import MIN_ANSWERS_FOR_HEADLINE
from web.formats import (
    GOOD_TILES,
    TILES,
    convert_distance,
    mood_label,
    mood_to_tile,
)


@dataclass(frozen=True, slots=True)
class MoodCount:
    """The number of runs with one mood, and the address that lists them."""

    label: str
    count: int
    runs_url: str


@dataclass(frozen=True, slots=True)
class MoodDistributionRow:
    """One range of distance with a count for each mood, Awful to Great."""

    name: str
    total: int
    svg: Markup
    counts: Sequence[MoodCount]


@dataclass(frozen=True, slots=True)
class MoodDistribution:
    rows: Sequence[MoodDistributionRow]
    label: str


def build_mood_distribution(
    answered_runs: RunTable, unit: DistanceUnit, run_filter: RunFilter
) -> MoodDistribution | None:
    """Count the moods in each round range of 7-day distance; None with too few.

    `run_filter` lists exactly these answered runs.
    """
    if len(answered_runs) < MIN_ANSWERS_FOR_HEADLINE:
        return None
    week_distances = [
        convert_distance(week_m, unit) for week_m in answered_runs.derived.week_m
    ]
    edges = compute_edges(week_distances)
    counts = [[0] * len(TILES) for _ in edges]
    for week_distance, mood in zip(
        week_distances, answered_runs.derived.mood, strict=True
    ):
        index = bisect_right(edges, week_distance) - 1
        counts[index][mood_to_tile(mood or 0) - 1] += 1
    upper_edges: list[float | None] = [*edges[1:], None]
    rows = [
        MoodDistributionRow(
            name=label_range(low, high, unit),
            total=sum(row),
            svg=svg,
            counts=[
                MoodCount(
                    mood_label(tile),
                    count,
                    run_filter.runs_url(
                        mood=str(tile),
                        least=low or None,
                        below=high,
                        page=1,
                        until=None,
                    ),
                )
                for tile, count in zip(TILES, row, strict=True)
            ],
        )
        for low, high, row, svg in zip(
            edges, upper_edges, counts, mood_bars.draw(counts).rows, strict=True
        )
    ]
    return MoodDistribution(rows, describe_rows(rows))


def compute_edges(week_distances: Sequence[float]) -> list[float]:
    """Return the lower edges of round ranges that hold enough answers each."""
    # Imported here: a page without enough answers need not wait for numpy.
    import numpy as np  # noqa: PLC0415

    from sync.analytics.stats.shape import choose_round_ranges  # noqa: PLC0415

    min_count = max(3, len(week_distances) // 20)
    edges = choose_round_ranges(np.array(week_distances), min_count)
    return [float(edge) for edge in edges]


def label_range(low: float, high: float | None, unit: DistanceUnit) -> str:
    """Name the range from `low` to `high`; None for no upper bound."""
    if high is None:
        if not low:
            return gettext("Any distance in %(unit)s", unit=unit)
        return gettext("%(low)s %(unit)s or more", low=f"{low:.0f}", unit=unit)
    if low == 0:
        return gettext("Under %(high)s %(unit)s", high=f"{high:.0f}", unit=unit)
    return f"{low:.0f}–{high:.0f} {unit}"


def describe_rows(rows: Sequence[MoodDistributionRow]) -> str:
    """Say the share of Good and Great in each range, for screen readers."""
    shares = []
    for row in rows:
        good = sum(row.counts[tile - 1].count for tile in GOOD_TILES)
        share = gettext("%(good)s of %(all)s", good=good, all=row.total)
        shares.append(f"{row.name}: {share}")
    title = gettext("Good or Great, by distance of the 7 days up to the run.")
    return f"{title} {'; '.join(shares)}."
