"""The three kinds of question a panel may ask, each fixed in advance."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sync.analytics.dataset.history import NO_RUNS
from sync.analytics.sentences.localized_text import METRES, Fact, Finding, Unit
from sync.analytics.sentences.milestones import Question
from sync.analytics.stats.groups import Difference, difference
from sync.analytics.stats.rank_link import WORDS, Link, link
from sync.analytics.stats.series import Flags, Floats, Ints, in_time_order
from sync.analytics.stats.shape import Shape, shape

# docs/decisions/0007: both halves of the mileage question share one promise,
# so each needs a little more than a question that stands alone.
MILEAGE_WORDS = 2.8
CLEAR_SHAPE = 0.005
CLEAR_FROM = 120
EARLY_SHAPE = 0.03


@dataclass(frozen=True, slots=True)
class Mileage:
    """Mood after runs against mileage, rows oldest first, shape (n,) each.

    distance_m is this run's; load_m the seven days up to and including it. A look
    needs no `run_ids`.
    """

    distance_m: Floats
    load_m: Floats
    mood: Floats
    days: Floats
    run_ids: Ints = field(default_factory=lambda: NO_RUNS)


def group_question(
    name: str, values: Floats, in_first: Flags, days: Floats, *, q: float = WORDS
) -> Question:
    """Ask whether `values` differ between two groups.

    Counted by the smaller group, twice, so that the first look comes with 15
    answers on either side.
    """
    when, label, series = in_time_order(days, in_first.astype(float), values)
    first = np.cumsum(label > 0)
    second = np.arange(1, len(label) + 1) - first

    def look(many: int) -> Finding:
        found = difference(series[:many], label[:many], when[:many], q=q)
        return Finding(f"{name}.{_direction(found)}", _group_facts(found))

    return Question(
        name=name,
        counted=np.asarray(2 * np.minimum(first, second), dtype=np.int64),
        rows=np.column_stack((when, label, series)),
        look=look,
    )


def link_question(
    name: str, x: Floats, y: Floats, days: Floats, *, q: float = WORDS
) -> Question:
    """Ask whether x and y move together."""
    when, across, up = in_time_order(days, x, y)

    def look(many: int) -> Finding:
        found = link(across[:many], up[:many], when[:many], q=q)
        verdict = _sign(found.rho) if found.sure_at(q) else "none"
        return Finding(f"{name}.{verdict}", _link_facts(found))

    return Question(
        name=name,
        counted=np.arange(1, len(when) + 1, dtype=np.int64),
        rows=np.column_stack((when, across, up)),
        look=look,
    )


def mileage_question(data: Mileage, unit: Unit) -> Question:
    """Ask the product's headline: a best range of mileage, or a plain link."""
    when, distance_m, load_m, mood = in_time_order(
        data.days, data.distance_m, data.load_m, data.mood
    )

    def look(many: int) -> Finding:
        part = Mileage(distance_m[:many], load_m[:many], mood[:many], when[:many])
        return mileage_finding(part, unit)

    return Question(
        name="mileage",
        counted=np.arange(1, len(when) + 1, dtype=np.int64),
        rows=np.column_stack((when, distance_m, load_m, mood)),
        look=look,
    )


def mileage_finding(data: Mileage, unit: Unit) -> Finding:
    """Choose the one sentence: best range, longer runs, an early sign, or none."""
    ranges = shape(data.load_m / METRES[unit], data.mood, data.days)
    monotone = link(data.distance_m, data.mood, data.days)
    if ranges is not None and is_clear(ranges):
        return Finding("mileage.best", _range_facts(ranges, unit))
    if monotone.sure_at(MILEAGE_WORDS):
        return Finding(f"mileage.{_sign(monotone.rho)}", _link_facts(monotone))
    if ranges is not None and ranges.p <= EARLY_SHAPE:
        return Finding("mileage.early", _range_facts(ranges, unit))
    return Finding("mileage.none", _link_facts(monotone))


def is_clear(ranges: Shape) -> bool:
    """Whether a best range may be named without a "may"."""
    return ranges.n >= CLEAR_FROM and ranges.p <= CLEAR_SHAPE and ranges.apart


def _sign(value: float) -> str:
    return "higher" if value > 0 else "lower"


def _direction(found: Difference) -> str:
    return _sign(found.difference) if found.claim else "none"


def _group_facts(found: Difference) -> Mapping[str, Fact]:
    return {
        "n": found.n_first + found.n_second,
        "n_first": found.n_first,
        "n_second": found.n_second,
        "first": round(found.mean_first, 3),
        "second": round(found.mean_second, 3),
    }


def _link_facts(found: Link) -> Mapping[str, Fact]:
    low, high = found.i95
    return {"n": found.n, "rho_low": round(low, 3), "rho_high": round(high, 3)}


def _range_facts(found: Shape, unit: Unit) -> Mapping[str, Fact]:
    low, high = found.best_range
    facts: dict[str, Fact] = {
        "n": found.n,
        "low_m": low * METRES[unit],
        "good_in": round(found.good_in, 3),
        "good_out": round(found.good_out, 3),
    }
    if high is not None:
        facts["high_m"] = high * METRES[unit]
    return facts
