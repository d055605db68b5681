"""How runs felt, from easy weeks to big ones."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from sync.analytics.dataset.run_rows import RunTable
from sync.language import gettext
from web.charts import mood_bars
from web.dashboard.filters import RunFilter
from web.formats import TILES, Unit, convert_distance, mood_label, mood_to_tile

MIN_ANSWERS = 15
_GOOD_TILE_COUNT = 2  # of the five answers


@dataclass(frozen=True, slots=True)
class MoodDistributionRow:
    """One range of distance; each count comes with where its runs are listed."""

    name: str
    total: int
    svg: Markup
    counts: Sequence[tuple[str, int, str]]


@dataclass(frozen=True, slots=True)
class MoodDistribution:
    rows: Sequence[MoodDistributionRow]
    label: str


def build_mood_distribution(
    answered_runs: RunTable, unit: Unit, run_filter: RunFilter
) -> MoodDistribution | None:
    """Count the moods in each round range of 7-day distance; None with too few.

    `wanted` is what lists exactly these answered runs.
    """
    if len(answered_runs) < MIN_ANSWERS:
        return None
    week_distances = [
        convert_distance(week_m, unit) for week_m in answered_runs.derived.week_m
    ]
    edges = _compute_edges(week_distances)
    counts = [[0] * len(TILES) for _ in edges]
    for week_distance, mood in zip(
        week_distances, answered_runs.derived.mood, strict=True
    ):
        index = bisect_right(edges, week_distance) - 1
        counts[index][mood_to_tile(mood or 0) - 1] += 1
    bars = mood_bars.draw(counts)
    upper_edges: list[float | None] = [*edges[1:], None]
    rows = [
        MoodDistributionRow(
            name=_range_label(low, high, unit),
            total=sum(row),
            svg=svg,
            counts=_build_counts(row, (low, high), run_filter),
        )
        for low, high, row, svg in zip(
            edges, upper_edges, counts, bars.rows, strict=True
        )
    ]
    return MoodDistribution(rows, _describe_rows(rows))


def _compute_edges(week_distances: Sequence[float]) -> list[float]:
    # Imported here: a page without enough answers need not wait for numpy.
    import numpy as np  # noqa: PLC0415

    from sync.analytics.stats.shape import choose_round_ranges  # noqa: PLC0415

    min_count = max(3, len(week_distances) // 20)
    return [
        float(edge) for edge in choose_round_ranges(np.array(week_distances), min_count)
    ]


def _range_label(low: float, high: float | None, unit: Unit) -> str:
    if high is None:
        if not low:
            return gettext("Any distance in %(unit)s", unit=unit)
        return gettext("%(low)s %(unit)s or more", low=f"{low:.0f}", unit=unit)
    if low == 0:
        return gettext("Under %(high)s %(unit)s", high=f"{high:.0f}", unit=unit)
    return f"{low:.0f}–{high:.0f} {unit}"


def _build_counts(
    row: Sequence[int], interval: tuple[float, float | None], run_filter: RunFilter
) -> list[tuple[str, int, str]]:
    low, high = interval
    linked_counts = []
    for mood, count in enumerate(row, start=1):
        runs_url = run_filter.address(
            mood=str(mood),
            least=low or None,
            below=high,
            page=1,
            until=None,
        )
        linked_counts.append((mood_label(mood), count, f"{runs_url}#all-runs"))
    return linked_counts


def _describe_rows(rows: Sequence[MoodDistributionRow]) -> str:
    shares = []
    for row in rows:
        good = sum(count for _, count, _ in row.counts[-_GOOD_TILE_COUNT:])
        share = gettext("%(good)s of %(all)s", good=good, all=row.total)
        shares.append(f"{row.name}: {share}")
    title = gettext("Good or Great, by distance of the 7 days up to the run.")
    return f"{title} {'; '.join(shares)}."
