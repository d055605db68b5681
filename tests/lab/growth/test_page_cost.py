"""A page for a runner with twice the runs costs at most twice as much."""

from collections.abc import Callable
from functools import partial

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from sync.models import Run
from sync.runners import sign_in
from sync.standins.fixtures.run_history import Past, new_runner, remember
from tests.lab.growth.cost import cost_of, grows_too_fast
from tests.support.harness import Stage
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


def signed_in(stage: Stage, runs: int) -> tuple[FlaskClient, int]:
    with stage.runtime.db.transaction() as session:
        runner = new_runner(stage.runtime, session, 1, now=stage.clock(), address=True)
        past = Past(runs=runs, answers=runs // 2)
        remember(stage.runtime, session, runner, past, now=stage.clock())
        run_id = session.scalars(select(Run.id).limit(1)).one()
        runner_id = runner.id
    client = create_app(stage.runtime).test_client()
    token = sign_in.sign_in(stage.runtime, runner_id)
    client.set_cookie("moodmiles", token, domain="127.0.0.1")
    return client, run_id


def visit(client: FlaskClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200, (path, page.status_code)


@pytest.mark.parametrize("path", PAGES)
def test_twice_the_runs_cost_at_most_twice_as_much(
    path: str, new_stage: Callable[[], Stage]
) -> None:
    costs = []
    # The first is for what is loaded, compiled and remembered only once.
    for runs in (RUNS, RUNS, 2 * RUNS, 4 * RUNS):
        stage = new_stage()
        client, run_id = signed_in(stage, runs)
        page = partial(visit, client, path.format(run_id=run_id))
        costs.append(cost_of(stage.runtime.db.engine, page))

    assert not grows_too_fast(costs[1:])
    # No page asks for each of its rows alone.
    assert costs[3].statements <= costs[1].statements + 5
