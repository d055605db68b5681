"""The files of a runner's numbers are made once for each state of their data."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, select, update
from werkzeug.test import TestResponse

from sync.models import Decision, Runner, Survey
from sync.runners import preferences
from sync.runtime import Runtime
from sync.surveys.answering import answer
from tests.support.harness import Harness
from tests.support.page_fixtures import build_fresh_run
from tests.web.conftest import PageClient

FILES = (
    "/dashboard/data.json",
    "/dashboard/read-outs.json?period=all",
    "/dashboard/runs.csv",
    "/dashboard/weeks.csv",
    "/dashboard/answers.csv",
    "/dashboard/panels.csv",
    "/claims.csv",
)


@contextmanager
def count_reads_of_runs(runtime: Runtime) -> Iterator[list[str]]:
    """Collect the statements that read runs or answers."""
    reads: list[str] = []

    def record(*arguments: Any) -> None:
        if "FROM run " in arguments[2] or "FROM answer " in arguments[2]:
            reads.append(arguments[2])

    event.listen(runtime.db.engine, "before_cursor_execute", record)
    yield reads
    event.remove(runtime.db.engine, "before_cursor_execute", record)


def open_file(browser: PageClient, path: str, **headers: str) -> TestResponse:
    return browser.client.get(
        path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


@pytest.fixture
def run_id(harness: Harness, browser: PageClient) -> int:
    """Sign in a runner who was just decided to be asked about this run."""
    runner_id, run_id = build_fresh_run(harness)
    browser.sign_in(runner_id)
    return run_id


@pytest.mark.usefixtures("run_id")
@pytest.mark.parametrize("path", FILES)
def test_a_file_is_made_once_and_sent_as_often_as_asked_for(
    browser: PageClient, runtime: Runtime, path: str
) -> None:
    first = open_file(browser, path)

    with count_reads_of_runs(runtime) as reads:
        again = open_file(browser, path)
        packed = open_file(browser, path, Accept_Encoding="gzip")
        known = open_file(browser, path, If_None_Match=first.headers["ETag"])
        weakly_known = browser.client.head(
            path, headers={"If-None-Match": f'"x", {first.headers["ETag"]}'}
        )

    assert reads == []
    assert first.status_code == again.status_code == packed.status_code == 200
    assert first.data == again.data == gzip.decompress(packed.data)
    assert "Content-Encoding" not in first.headers
    assert first.headers["Cache-Control"] == "no-store"
    assert (known.status_code, known.data) == (304, b"")
    assert weakly_known.status_code == 304


def test_a_tag_is_good_until_something_in_the_file_changes(
    browser: PageClient, runtime: Runtime, harness: Harness, run_id: int
) -> None:
    def read_tag() -> str:
        return open_file(browser, "/dashboard/data.json").headers["ETag"]

    tags = [read_tag(), read_tag()]
    with runtime.db.transaction() as session:
        session.execute(update(Survey).values(sent_at=harness.clock()))
    tags.append(read_tag())
    asked = open_file(browser, "/dashboard/data.json").get_json()["asked"]
    with runtime.db.transaction() as session:
        session.execute(update(Decision).values(verdict="withhold", reason="paused"))
    tags.append(read_tag())
    verdicts = open_file(browser, "/dashboard/data.json").get_json()["runs"]
    with runtime.db.read_only() as session:
        runner_id = session.scalars(select(Runner.id)).one()
    answer.record_run_answer(
        runtime, runner_id=runner_id, run_id=run_id, values={"mood": 1}
    )
    tags.append(read_tag())
    [answered] = open_file(browser, "/dashboard/data.json").get_json()["answers"]
    harness.advance_clock(days=1)
    tags.append(read_tag())

    assert tags[0] == tags[1]
    assert len(set(tags)) == len(tags) - 1
    assert asked == 1
    assert {run["survey"] for run in verdicts} == {"paused"}
    assert answered["mood"] == 1


@pytest.mark.usefixtures("run_id")
def test_the_tag_of_one_runner_is_worth_nothing_to_another(
    browser: PageClient, other_browser: PageClient, harness: Harness
) -> None:
    other_browser.sign_in(harness.link_runner(harness.add_athlete(8)))
    tag = open_file(browser, "/dashboard/runs.csv").headers["ETag"]

    answer_ = open_file(other_browser, "/dashboard/runs.csv", If_None_Match=tag)

    assert answer_.status_code == 200
    assert len(answer_.text.splitlines()) == 1


@pytest.mark.usefixtures("run_id")
def test_a_tag_names_units_language_and_period_too(
    browser: PageClient, runtime: Runtime
) -> None:
    path = "/dashboard/read-outs.json?period=all"
    tags = {open_file(browser, path).headers["ETag"]}

    with runtime.db.read_only() as session:
        runner_id = session.scalars(select(Runner.id)).one()
    for wish in ({"units": "mi"}, {"language": "de"}):
        preferences.save_preferences(runtime, runner_id, wish)
        tags.add(open_file(browser, path).headers["ETag"])
    tags.add(open_file(browser, path.replace("all", "4w")).headers["ETag"])

    assert len(tags) == 4
