"""The three kinds of question a panel may ask, each fixed in advance."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sync.analytics.dataset.history import NO_RUNS
from sync.analytics.sentences.localized_text import METRES_PER_UNIT, Fact, Finding, Unit
from sync.analytics.sentences.milestones import PanelQuestion
from sync.analytics.stats.groups import Difference, estimate_difference
from sync.analytics.stats.rank_link import Z_CLAIM, Link, link
from sync.analytics.stats.series import Flags, Floats, Ints, sort_by_time
from sync.analytics.stats.shape import MileageShape, fit_shape

# docs/decisions/0007: both halves of the mileage question share one promise,
# so each needs a little more than a question that stands alone.
Z_MILEAGE_CLAIM = 2.8
MAX_P_CLEAR = 0.005
MIN_FOR_CLEAR = 120
MAX_P_EARLY = 0.03


@dataclass(frozen=True, slots=True)
class MileageData:
    """Mood after runs against mileage, rows oldest first, shape (n,) each.

    distance_m is this run's; load_m the seven days up to and including it. A look
    needs no `run_ids`.
    """

    distance_m: Floats
    load_m: Floats
    mood: Floats
    days: Floats
    run_ids: Ints = field(default_factory=lambda: NO_RUNS)


def build_group_question(
    name: str, values: Floats, in_first: Flags, days: Floats, *, q: float = Z_CLAIM
) -> PanelQuestion:
    """Ask whether `values` differ between two groups.

    Counted by the smaller group, twice, so that the first look comes with 15
    answers on either side.
    """
    times, label, series = sort_by_time(days, in_first.astype(float), values)
    first = np.cumsum(label > 0)
    second = np.arange(1, len(label) + 1) - first

    def evaluate(n_rows: int) -> Finding:
        comparison = estimate_difference(
            series[:n_rows], label[:n_rows], times[:n_rows], q=q
        )
        return Finding(
            f"{name}.{_name_direction(comparison)}", _build_group_facts(comparison)
        )

    return PanelQuestion(
        name=name,
        cumulative_answers=np.asarray(2 * np.minimum(first, second), dtype=np.int64),
        rows=np.column_stack((times, label, series)),
        evaluate=evaluate,
    )


def build_link_question(
    name: str, x: Floats, y: Floats, days: Floats, *, q: float = Z_CLAIM
) -> PanelQuestion:
    """Ask whether x and y move together."""
    times, xs, ys = sort_by_time(days, x, y)

    def evaluate(n_rows: int) -> Finding:
        estimate = link(xs[:n_rows], ys[:n_rows], times[:n_rows], q=q)
        verdict = _name_sign(estimate.rho) if estimate.is_certain_at(q) else "none"
        return Finding(f"{name}.{verdict}", _build_link_facts(estimate))

    return PanelQuestion(
        name=name,
        cumulative_answers=np.arange(1, len(times) + 1, dtype=np.int64),
        rows=np.column_stack((times, xs, ys)),
        evaluate=evaluate,
    )


def build_mileage_question(data: MileageData, unit: Unit) -> PanelQuestion:
    """Ask the product's headline: a best range of mileage, or a plain link."""
    times, distance_m, load_m, mood = sort_by_time(
        data.days, data.distance_m, data.load_m, data.mood
    )

    def evaluate(n_rows: int) -> Finding:
        subset = MileageData(
            distance_m[:n_rows], load_m[:n_rows], mood[:n_rows], times[:n_rows]
        )
        return evaluate_mileage(subset, unit)

    return PanelQuestion(
        name="mileage",
        cumulative_answers=np.arange(1, len(times) + 1, dtype=np.int64),
        rows=np.column_stack((times, distance_m, load_m, mood)),
        evaluate=evaluate,
    )


def evaluate_mileage(data: MileageData, unit: Unit) -> Finding:
    """Choose the one sentence: best range, longer runs, an early sign, or none."""
    mileage_shape = fit_shape(data.load_m / METRES_PER_UNIT[unit], data.mood, data.days)
    monotone = link(data.distance_m, data.mood, data.days)
    if mileage_shape is not None and is_clear_range(mileage_shape):
        return Finding("mileage.best", _build_range_facts(mileage_shape, unit))
    if monotone.is_certain_at(Z_MILEAGE_CLAIM):
        return Finding(
            f"mileage.{_name_sign(monotone.rho)}", _build_link_facts(monotone)
        )
    if mileage_shape is not None and mileage_shape.p <= MAX_P_EARLY:
        return Finding("mileage.early", _build_range_facts(mileage_shape, unit))
    return Finding("mileage.none", _build_link_facts(monotone))


def is_clear_range(mileage_shape: MileageShape) -> bool:
    """Whether a best range may be named without a "may"."""
    return (
        mileage_shape.n >= MIN_FOR_CLEAR
        and mileage_shape.p <= MAX_P_CLEAR
        and mileage_shape.is_distinct
    )


def _name_sign(value: float) -> str:
    return "higher" if value > 0 else "lower"


def _name_direction(comparison: Difference) -> str:
    return _name_sign(comparison.difference) if comparison.claim else "none"


def _build_group_facts(comparison: Difference) -> Mapping[str, Fact]:
    return {
        "n": comparison.n_first + comparison.n_second,
        "n_first": comparison.n_first,
        "n_second": comparison.n_second,
        "first": round(comparison.mean_first, 3),
        "second": round(comparison.mean_second, 3),
    }


def _build_link_facts(estimate: Link) -> Mapping[str, Fact]:
    low, high = estimate.i95
    return {"n": estimate.n, "rho_low": round(low, 3), "rho_high": round(high, 3)}


def _build_range_facts(mileage_shape: MileageShape, unit: Unit) -> Mapping[str, Fact]:
    low, high = mileage_shape.best_range
    facts: dict[str, Fact] = {
        "n": mileage_shape.n,
        "low_m": low * METRES_PER_UNIT[unit],
        "good_in": round(mileage_shape.good_in, 3),
        "good_out": round(mileage_shape.good_out, 3),
    }
    if high is not None:
        facts["high_m"] = high * METRES_PER_UNIT[unit]
    return facts
