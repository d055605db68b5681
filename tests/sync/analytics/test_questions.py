"""Each question says the one thing that its data carry."""

import numpy as np
import pytest

from sync.analytics.dataset.history import History
from sync.analytics.panels.questions import Mileage, is_clear, mileage_finding
from sync.analytics.panels.registry import after_runs, mileage, panels_of
from sync.analytics.stats.rank_link import link
from sync.analytics.stats.series import Floats
from sync.analytics.stats.shape import Shape, round_ranges, shape
from tests.lab.bench.simulated_runners import Maker, World

NOTHING = World(0.3)


def runner(world: World, seed: int = 1) -> History:
    return Maker(world, np.random.default_rng(seed)).runner()


def first(data: Mileage, many: int) -> Mileage:
    some = slice(many)
    return Mileage(
        data.distance_m[some], data.load_m[some], data.mood[some], data.days[some]
    )


def test_a_true_link_with_distance_is_told() -> None:
    found = mileage_finding(mileage(runner(World(0.3, longer=0.6))), "km")

    assert found.sentence == "mileage.higher"
    assert "longer runs tended to be higher" in found.said()


def test_a_true_best_week_is_told_with_its_range() -> None:
    found = mileage_finding(mileage(runner(World(0.3, range=0.6))), "km")

    assert found.sentence == "mileage.best"
    assert float(found.facts["good_in"]) > float(found.facts["good_out"])


def test_no_relation_is_told_as_no_clear_link() -> None:
    found = mileage_finding(mileage(runner(NOTHING)), "km")

    assert found.sentence == "mileage.none"
    assert "Could be anywhere from" in found.said()


def test_no_best_range_is_named_from_few_answers() -> None:
    data = first(mileage(runner(World(0.3, range=0.8))), 60)

    ranges = shape(data.load_m / 1000, data.mood, data.days)

    assert ranges is not None
    assert not is_clear(ranges)


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
    found = Shape(
        n, one, one.astype(int), one, 0, p, good_in=0.5, good_out=0.5, apart=apart
    )

    assert is_clear(found) is clear


def scattered(seed: int, *, slope: float) -> Mileage:
    """Let mood follow the run's length by `slope` a metre, and no week at all."""
    random = np.random.default_rng(seed)
    distance_m = random.uniform(3000, 15000, 60)
    told = slope * (distance_m - 9000) + random.normal(size=60)
    load_m = random.uniform(10_000, 40_000, 60)
    mood = np.clip(np.round(told), -2, 2)
    return Mileage(distance_m, load_m, mood, np.arange(60.0))


def test_a_sentence_about_mileage_needs_more_than_a_link() -> None:
    data = scattered(5, slope=0.00011)

    assert link(data.distance_m, data.mood, data.days).claim
    assert mileage_finding(data, "km").sentence == "mileage.none"


def test_an_early_sign_is_rarer_than_one_in_thirty() -> None:
    data = scattered(16, slope=0)

    ranges = shape(data.load_m / 1000, data.mood, data.days)

    assert ranges is not None
    assert 0.03 < ranges.p < 0.06
    assert mileage_finding(data, "km").sentence == "mileage.none"


def test_the_best_range_is_where_the_truth_is() -> None:
    data = mileage(runner(World(0.3, range=0.7)))

    ranges = shape(data.load_m / 1000, data.mood, data.days)

    assert ranges is not None
    low, high = ranges.best_range
    middle = float(np.median(data.load_m)) / 1000
    assert low - 10 <= middle <= (high or low + 20) + 10


@pytest.mark.parametrize(
    "mileage_km",
    [np.linspace(0, 60, 80), np.full(80, 12.0), np.zeros(80), np.linspace(0, 900, 80)],
    ids=["usual", "always the same", "none", "enormous"],
)
def test_ranges_are_round_and_few(mileage_km: Floats) -> None:
    edges = round_ranges(mileage_km, 4)

    assert edges[0] == 0
    assert (edges % 5 == 0).all()
    assert len(edges) <= 19


def test_one_range_alone_is_compared_with_nothing() -> None:
    assert shape(np.full(40, 3.0), np.arange(40) % 3, np.arange(40)) is None


def test_mood_truly_higher_after_runs_is_told() -> None:
    question = after_runs(runner(World(0.3, after=1.0))).question()

    assert question.look(len(question.rows)).sentence == "after_runs.higher"


def test_two_groups_count_by_the_smaller_one() -> None:
    panel = after_runs(runner(NOTHING))

    checked = np.count_nonzero(~panel.in_first)

    assert panel.question().answers == 2 * checked


def test_races_are_left_out_of_mileage() -> None:
    history = runner(NOTHING)

    races = history.runs.race[history.answers.run] & (history.answers.run >= 0)

    assert len(mileage(history).mood) == np.count_nonzero(history.after_run & ~races)
    assert np.count_nonzero(history.after_run & races) > 0


def test_late_answers_count_for_the_hours_alone() -> None:
    history = runner(NOTHING)

    found = panels_of(history).questions("km")

    on_time = np.count_nonzero(history.after_run)
    assert np.count_nonzero(history.late) > 0
    assert len(found["run_length"].rows) == on_time
    assert len(found["hours_since"].rows) > on_time


def test_three_questions_are_fixed_and_eleven_are_explored() -> None:
    names = list(panels_of(runner(NOTHING)).questions("km"))

    assert names[:3] == ["after_runs", "mileage", "stress"]
    assert len(names) == 14
