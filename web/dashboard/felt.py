"""How runs felt, from easy weeks to big ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from sync.analytics.overview import RunRow
from web.charts import felt_bars
from web.dashboard.wanted import Wanted
from web.formats import WORDS, Unit, in_unit, tile

FEWEST = 15


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


def felt(answered: Sequence[RunRow], unit: Unit, wanted: Wanted) -> Felt | None:
    """Count the moods in each round range of 7-day distance; None with too few."""
    if len(answered) < FEWEST:
        return None
    weeks = [in_unit(run.week_m, unit) for run in answered]
    edges = _edges(weeks)
    counts = [[0] * len(WORDS) for _ in edges]
    for week, run in zip(weeks, answered, strict=True):
        place = sum(edge <= week for edge in edges) - 1
        counts[place][tile(run.mood or 0) - 1] += 1
    drawn = felt_bars.draw(counts)
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

    from sync.analytics.shape import round_ranges  # noqa: PLC0415

    fewest = max(3, len(weeks) // 20)
    return [float(edge) for edge in round_ranges(np.array(weeks), fewest)]


def _name(low: float, high: float | None, unit: Unit) -> str:
    if high is None:
        return f"{low:.0f} {unit} or more" if low else f"Any distance in {unit}"
    if low == 0:
        return f"Under {high:.0f} {unit}"
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
            since=None,
            until=None,
        )
        found.append((WORDS[mood], count, f"{runs_at}#all-runs"))
    return found


def _label(rows: Sequence[FeltRow]) -> str:
    shares = []
    for row in rows:
        good = sum(count for word, count, _ in row.counts if word in {"Good", "Great"})
        shares.append(f"{row.name}: {good} of {row.total}")
    return (
        f"Good or Great, by distance of the 7 days up to the run. {'; '.join(shares)}."
    )
