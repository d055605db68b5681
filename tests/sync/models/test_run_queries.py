"""Every query of runs says which runs it is about, or is listed here with why not."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PREDICATES = {
    "RUN_IS_VISIBLE",
    "RUN_IS_CREDIBLE",
    "RUN_IS_TIMED",
    "RUN_IS_IN_FIGURES",
}
QUERIES = {"select", "exists"}
MADE_UP = ("sync/migrations/", "sync/simulator/", "sync/standins/")
# What reads runs that are hidden or whose clock was ahead, and why it must.
ALL_RUNS = {
    # By their ids or Strava's, whatever else is true of them.
    "host/seeding.py:wait_for_import": "each is decided about",
    "sync/inbox/store.py:_KNOWN_RUNS": "what an event names",
    "sync/analytics/dataset/load.py:_DELAYS_QUERY": "draws; hidden runs have no row",
    "sync/runs/duplicates.py:choose_recording": "the recordings that the runner chose",
    "sync/runs/private.py:_delete_private_runs": "private runs, to go",
    "sync/runs/relink.py:_HAS_UNLINKED": "answers without a run",
    "sync/runs/relink.py:relink_answers": "answers without a run",
    "sync/runs/store.py:_SELECT_FIRST_SEEN": "when they were first seen",
    "sync/runs/store.py:delete_runs": "what is gone",
    "sync/runs/store.py:find_hidden": "hidden runs",
    "sync/runs/store.py:find_run_ids": "what is gone",
    "sync/runs/store.py:load_known_rows": "what is compared with Strava's list",
    "sync/runs/retention.py:_purge_batch": "what may no longer be kept",
    "sync/runners/account.py:count_holdings": "what we hold",
    "sync/runners/account.py:load_summary": "what we hold",
    "sync/runners/disconnect.py:remove_strava_data": "what may no longer be kept",
    "sync/runners/retained_runs.py:_delete_retained": "the runner's own rows",
    "sync/portability/import_runner.py:_apply_retention": "what may not be kept",
    "sync/portability/import_runner.py:_load_run_sources": "what is here already",
    "sync/portability/unpack.py:_find_existing_runs": "what is here already",
    "sync/portability/unpack.py:_load_run_ids_by_key": "what is here already",
    "sync/surveys/answering/retained_runs.py:_build_offer": "the run of one answer",
    "sync/surveys/answering/pairing.py:tag_answers": "answers; its runs are given",
    "sync/surveys/own_runs.py:find_surveyed_run": "the run of one survey",
    "sync/surveys/sending/delay_draws.py:_find_draw": "other recordings of a run",
    "sync/surveys/sending/reevaluate.py:find_changed_surveys": "finds false clocks",
    "sync/surveys/sending/schedule.py:_cancel_replaced": "the runs of one survey",
    "sync/surveys/store.py:_OLDEST_UNDECIDED": "each is decided about",
    "sync/surveys/store.py:_SELECT_UNDECIDED": "each is decided about",
    "sync/surveys/store.py:load_recent_questions": "the runs of the questions",
    "sync/surveys/store.py:load_runs": "what is decided about just now",
}


def find_run_queries() -> Iterator[tuple[str, set[str]]]:
    """Yield each function or constant that queries runs, with the names it uses."""
    for package in ("sync", "web", "workers", "host"):
        for path in sorted((ROOT / package).rglob("*.py")):
            relative = path.relative_to(ROOT).as_posix()
            if relative.startswith(MADE_UP):
                continue
            yield from find_in_module(relative, path)


def find_in_module(relative: str, path: Path) -> Iterator[tuple[str, set[str]]]:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            name = node.name
        elif (
            isinstance(node, ast.Assign)
            and node in tree.body
            and isinstance(node.targets[0], ast.Name)
        ):
            name = node.targets[0].id
        else:
            continue
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        calls = {
            call.func.id
            for call in ast.walk(node)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        }
        if names & {"Run", "_RUN"} and calls & QUERIES:
            yield f"{relative}:{name}", names


RUN_QUERIES = dict(find_run_queries())


@pytest.mark.parametrize("place", RUN_QUERIES)
def test_a_query_says_which_runs_it_is_about(place: str) -> None:
    assert (place in ALL_RUNS) != bool(RUN_QUERIES[place] & PREDICATES)


def test_no_exception_is_for_a_query_that_is_gone() -> None:
    assert ALL_RUNS.keys() <= RUN_QUERIES.keys()
