"""Each question says the one thing that its data carry."""

import numpy as np
import pytest

from sync.analytics.dataset.history import History
from sync.analytics.panels import mileage
from sync.analytics.panels.after_runs import compare_mood
from sync.analytics.panels.discovery import compare_all
from sync.analytics.panels.mileage import (
    MileageComparison,
    compare_mileage,
    evaluate_mileage,
    is_clear_range,
)
from sync.analytics.sentences.milestones import Outcome, PanelQuestion
from sync.analytics.stats.rank_link import link
from sync.analytics.stats.series import Floats
from sync.analytics.stats.shape import MileageShape, choose_round_ranges, fit_shape
from tests.lab.bench.simulated_runners import RunnerSimulator, SimulatedTruth

NOTHING = SimulatedTruth(0.3)


def runner(world: SimulatedTruth, seed: int = 1) -> History:
    return RunnerSimulator(world, np.random.default_rng(seed)).simulate_runner()


def render(outcome: Outcome) -> str:
    (panel,) = mileage.PANELS
    return panel.describe(outcome).render()


def build_questions(history: History) -> dict[str, PanelQuestion]:
    return {
        panel.name: panel.comparison.build_question(panel.name)
        for panel in compare_all(history)
    }


def take_first(data: MileageComparison, count: int) -> MileageComparison:
    some = slice(count)
    return MileageComparison(
        data.distance_m[some],
        data.trailing_week_m[some],
        data.mood[some],
        data.days[some],
    )


def test_a_true_link_with_distance_is_told() -> None:
    found = evaluate_mileage(compare_mileage(runner(SimulatedTruth(0.3, longer=0.6))))

    assert found.sentence_key == "mileage.higher"
    assert "longer runs tended to be higher" in render(found)


def test_a_true_best_week_is_told_with_its_range() -> None:
    found = evaluate_mileage(compare_mileage(runner(SimulatedTruth(0.3, range=0.6))))

    assert found.sentence_key == "mileage.best"
    assert float(found.facts["good_in"]) > float(found.facts["good_out"])


def test_no_relation_is_told_as_no_clear_link() -> None:
    found = evaluate_mileage(compare_mileage(runner(NOTHING)))

    assert found.sentence_key == "mileage.none"
    assert "Could be anywhere from" in render(found)


def test_no_best_range_is_named_from_few_answers() -> None:
    data = take_first(compare_mileage(runner(SimulatedTruth(0.3, range=0.8))), 60)

    ranges = fit_shape(data.trailing_week_m / 1000, data.mood, data.days)

    assert ranges is not None
    assert not is_clear_range(ranges)


@pytest.mark.parametrize(
    ("n", "p", "apart", "clear"),
    [
        (120, 0.005, True, True),
        (119, 0.005, True, False),
        (120, 0.006, True, False),
        (120, 0.005, False, False),
    ],
)
def test_a_best_range_is_named_without_a_may_when_all_is_met(
    n: int, p: float, *, apart: bool, clear: bool
) -> None:
    one = np.zeros(1)
    found = MileageShape(
        n, one, one.astype(int), one, 0, p, good_in=0.5, good_out=0.5, is_distinct=apart
    )

    assert is_clear_range(found) is clear


def build_scattered_series(seed: int, *, slope: float) -> MileageComparison:
    """Let mood follow the run's length by `slope` a metre, and no week at all."""
    random = np.random.default_rng(seed)
    distance_m = random.uniform(3000, 15000, 60)
    mood = slope * (distance_m - 9000) + random.normal(size=60)
    load_m = random.uniform(10_000, 40_000, 60)
    mood = np.clip(np.round(mood), -2, 2)
    return MileageComparison(distance_m, load_m, mood, np.arange(60.0))


def test_a_sentence_about_mileage_needs_more_than_a_link() -> None:
    data = build_scattered_series(5, slope=0.00011)

    assert link(data.distance_m, data.mood, data.days).claim
    assert evaluate_mileage(data).sentence_key == "mileage.none"


def test_an_early_sign_is_rarer_than_one_in_thirty() -> None:
    data = build_scattered_series(13, slope=0)

    ranges = fit_shape(data.trailing_week_m / 1000, data.mood, data.days)

    assert ranges is not None
    assert 0.03 < ranges.p < 0.06
    assert evaluate_mileage(data).sentence_key == "mileage.none"


def test_the_best_range_is_where_the_truth_is() -> None:
    data = compare_mileage(runner(SimulatedTruth(0.3, range=0.7)))

    ranges = fit_shape(data.trailing_week_m / 1000, data.mood, data.days)

    assert ranges is not None
    low, high = ranges.best_range
    middle = float(np.median(data.trailing_week_m)) / 1000
    assert low - 10 <= middle <= (high or low + 20) + 10


@pytest.mark.parametrize(
    "mileage_km",
    [np.linspace(0, 60, 80), np.full(80, 12.0), np.zeros(80), np.linspace(0, 900, 80)],
    ids=["usual", "always the same", "none", "enormous"],
)
def test_ranges_are_round_and_few(mileage_km: Floats) -> None:
    edges = choose_round_ranges(mileage_km, 4)

    assert edges[0] == 0
    assert (edges % 5 == 0).all()
    assert len(edges) <= 19


def test_one_range_alone_is_compared_with_nothing() -> None:
    assert fit_shape(np.full(40, 3.0), np.arange(40) % 3, np.arange(40)) is None


def test_mood_truly_higher_after_runs_is_told() -> None:
    question = compare_mood(runner(SimulatedTruth(0.3, after=1.0))).build_question(
        "after_runs"
    )

    assert question.evaluate(len(question.rows)).sentence_key == "after_runs.higher"


def test_two_groups_count_by_the_smaller_one() -> None:
    panel = compare_mood(runner(NOTHING))

    checked = np.count_nonzero(~panel.in_first)

    assert panel.build_question("after_runs").answer_count == 2 * checked


def test_races_are_left_out_of_mileage() -> None:
    history = runner(NOTHING)

    races = history.runs.is_race[history.answers.run] & (history.answers.run >= 0)

    assert len(compare_mileage(history).mood) == np.count_nonzero(
        history.is_after_run & ~races
    )
    assert np.count_nonzero(history.is_after_run & races) > 0


def test_late_answers_count_for_the_hours_alone() -> None:
    history = runner(NOTHING)

    found = build_questions(history)

    on_time = np.count_nonzero(history.is_after_run)
    assert np.count_nonzero(history.is_late) > 0
    assert len(found["run_length"].rows) == on_time
    assert len(found["hours_since"].rows) > on_time


def test_three_questions_are_fixed_and_the_others_are_explored() -> None:
    panels = compare_all(runner(NOTHING))

    names = [panel.name for panel in panels]
    can_speak = [panel.name for panel in panels if not panel.definition.is_picture]
    assert names[:3] == ["after_runs", "mileage", "stress"]
    assert len(names) == 20
    assert len(can_speak) == 17
