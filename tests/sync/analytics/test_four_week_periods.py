"""Four weeks at a time, end to end: each stretch says its own thing, once."""

from dataclasses import replace

import numpy as np
import pytest

from sync.analytics import load_figures
from sync.analytics.dataset.history import History
from sync.analytics.panels.month import pair_month_load
from tests.lab.bench.simulated_runners import RunnerSimulator, SimulatedTruth
from tests.sync.analytics.runner_data import RunnerData


@pytest.fixture(scope="module")
def history() -> History:
    return RunnerSimulator(
        SimulatedTruth(0.3), np.random.default_rng(5)
    ).simulate_runner()


def test_each_stretch_holds_its_own_four_weeks(history: History) -> None:
    found = pair_month_load(history)

    assert set(np.diff(found.days) % 28) == {0}
    first_days = found.days + 1  # as `date.toordinal()` has them
    for began, distance_m, mood in zip(first_days, found.x, found.y, strict=True):
        ran = (history.runs.local_day - began) // 28 == 0
        asked = history.is_rest_day & ((history.answers.local_day - began) // 28 == 0)
        assert distance_m == pytest.approx(history.runs.distance_m[ran].sum())
        assert mood == pytest.approx(history.answers.mood[asked].mean())


def test_a_stretch_that_is_over_stays_as_it_was(history: History) -> None:
    before = pair_month_load(history)

    later = pair_month_load(replace(history, today=history.today + 40))

    assert len(later.days) >= len(before.days)
    assert later.x[: len(before.x)].tolist() == before.x.tolist()
    assert later.y[: len(before.y)].tolist() == before.y.tolist()


def test_pairs_are_called_what_they_are(runner_data: RunnerData) -> None:
    runner_data.add_run(1, 8, 1)
    runner_data.add_checkin(2, 1)

    panels = load_figures(runner_data.runtime, runner_data.runner_id).exploratory
    said = {panel.name: panel.sentence for panel in panels}

    assert said["month"] == "Not enough yet: 1 of 15 stretches of four weeks."
    assert said["consistency"] == "Not enough yet: 1 of 15 weeks."
    assert said["load"] == "Not enough yet: 1 of 15 answers."
