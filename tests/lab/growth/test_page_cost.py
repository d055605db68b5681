"""A page for a runner with twice the runs costs at most twice as much."""

from collections.abc import Callable
from functools import partial

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from sync.models import Run
from sync.runners import sign_in
from sync.standins.fixtures.run_history import RunHistory, create_runner, store_history
from tests.lab.growth.cost import grows_too_fast, measure_cost
from tests.support.harness import Harness
from web.app import create_app

pytestmark = pytest.mark.slow

RUNS = 60
PAGES = (
    "/dashboard",
    "/dashboard?period=all",
    "/dashboard/data.json",
    "/dashboard/read-outs.json",
    "/dashboard/progress.json",
    "/dashboard/runs.csv",
    "/dashboard/weeks.csv",
    "/dashboard/panels.csv",
    "/dashboard/answers.csv",
    "/runs/{run_id}",
    "/settings",
    "/settings/export",
    "/wellbeing",
)


def open_signed_in_client(harness: Harness, runs: int) -> tuple[FlaskClient, int]:
    with harness.runtime.db.transaction() as session:
        runner = create_runner(
            harness.runtime, session, 1, now=harness.clock(), has_email=True
        )
        history = RunHistory(runs=runs, answers=runs // 2)
        store_history(harness.runtime, session, runner, history, now=harness.clock())
        run_id = session.scalars(select(Run.id).limit(1)).one()
        runner_id = runner.id
    client = create_app(harness.runtime).test_client()
    token = sign_in.sign_in(harness.runtime, runner_id)
    client.set_cookie("moodmiles", token, domain="127.0.0.1")
    return client, run_id


def visit(client: FlaskClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200, (path, page.status_code)


@pytest.mark.parametrize("path", PAGES)
def test_twice_the_runs_cost_at_most_twice_as_much(
    path: str, new_harness: Callable[[], Harness]
) -> None:
    costs = []
    # The first is for what is loaded, compiled and remembered only once.
    for runs in (RUNS, RUNS, 2 * RUNS, 4 * RUNS):
        harness = new_harness()
        client, run_id = open_signed_in_client(harness, runs)
        page = partial(visit, client, path.format(run_id=run_id))
        costs.append(measure_cost(harness.runtime.db.engine, page))

    assert not grows_too_fast(costs[1:])
    # No page asks for each of its rows alone.
    assert costs[3].statements <= costs[1].statements + 5
