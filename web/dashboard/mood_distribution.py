"""How runs felt, from easy weeks to big ones."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from sync.analytics.dataset.run_rows import RunTable
from sync.language import gettext
from web.charts import mood_bars
from web.dashboard.filters import Wanted
from web.formats import TILES, Unit, in_unit, tile, word

FEWEST = 15
_GOOD = 2  # of the five answers


@dataclass(frozen=True, slots=True)
class FeltRow:
    """One range of distance; each count comes with where its runs are listed."""

    name: str
    total: int
    svg: Markup
    counts: Sequence[tuple[str, int, str]]


@dataclass(frozen=True, slots=True)
class Felt:
    rows: Sequence[FeltRow]
    label: str


def felt(answered: RunTable, unit: Unit, wanted: Wanted) -> Felt | None:
    """Count the moods in each round range of 7-day distance; None with too few.

    `wanted` is what lists exactly these answered runs.
    """
    if len(answered) < FEWEST:
        return None
    weeks = [in_unit(week_m, unit) for week_m in answered.derived.week_m]
    edges = _edges(weeks)
    counts = [[0] * len(TILES) for _ in edges]
    for week, mood in zip(weeks, answered.derived.mood, strict=True):
        place = bisect_right(edges, week) - 1
        counts[place][tile(mood or 0) - 1] += 1
    drawn = mood_bars.draw(counts)
    ends: list[float | None] = [*edges[1:], None]
    rows = [
        FeltRow(
            name=_name(low, high, unit),
            total=sum(row),
            svg=svg,
            counts=_counts(row, (low, high), wanted),
        )
        for low, high, row, svg in zip(edges, ends, counts, drawn.rows, strict=True)
    ]
    return Felt(rows, _label(rows))


def _edges(weeks: Sequence[float]) -> list[float]:
    # Imported here: a page without enough answers need not wait for numpy.
    import numpy as np  # noqa: PLC0415

    from sync.analytics.stats.shape import round_ranges  # noqa: PLC0415

    fewest = max(3, len(weeks) // 20)
    return [float(edge) for edge in round_ranges(np.array(weeks), fewest)]


def _name(low: float, high: float | None, unit: Unit) -> str:
    if high is None:
        if not low:
            return gettext("Any distance in %(unit)s", unit=unit)
        return gettext("%(low)s %(unit)s or more", low=f"{low:.0f}", unit=unit)
    if low == 0:
        return gettext("Under %(high)s %(unit)s", high=f"{high:.0f}", unit=unit)
    return f"{low:.0f}–{high:.0f} {unit}"


def _counts(
    row: Sequence[int], ends: tuple[float, float | None], wanted: Wanted
) -> list[tuple[str, int, str]]:
    low, high = ends
    found = []
    for mood, count in enumerate(row, start=1):
        runs_at = wanted.address(
            mood=str(mood),
            least=low or None,
            below=high,
            page=1,
            until=None,
        )
        found.append((word(mood), count, f"{runs_at}#all-runs"))
    return found


def _label(rows: Sequence[FeltRow]) -> str:
    shares = []
    for row in rows:
        good = sum(count for _, count, _ in row.counts[-_GOOD:])
        share = gettext("%(good)s of %(all)s", good=good, all=row.total)
        shares.append(f"{row.name}: {share}")
    said = gettext("Good or Great, by distance of the 7 days up to the run.")
    return f"{said} {'; '.join(shares)}."
