"""What a runner kept in their own log stands in elsewhere, too, unless Strava does."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from sync.models import Answer, Run, Survey
from sync.portability.import_runner import import_runner
from sync.runners import connect, disconnect, sign_in
from sync.settings import Settings
from sync.simulator import grants
from sync.surveys.answering import retained_runs
from tests.support.harness import ALL_CONSENTS, SCOPE, Harness
from tests.support.second_instance import (
    open_second_instance,
    read_export,
    write_export,
)


@pytest.fixture
def second_instance(
    harness: Harness, sqlite_template: Path, tmp_path: Path
) -> Iterator[Harness]:
    with open_second_instance(harness, sqlite_template, tmp_path) as other:
        yield other


@pytest.fixture
def export_file(harness: Harness, runner_id: int, tmp_path: Path) -> Path:
    """Pack up a runner who left Strava and kept the run that they answered."""
    values = {**dict(harness.runtime.settings), "strava_retention_days": 7}
    strict = replace(harness.runtime, settings=Settings.model_construct(**values))
    with harness.runtime.db.read_only() as session:
        answered = session.scalars(select(Answer.run_id).where(Answer.kind == "run"))
        run_id = answered.one()
    assert run_id
    retained_runs.set_retained_for_run(strict, runner_id, run_id, retain=True)
    disconnect.disconnect(harness.runtime, runner_id)
    return write_export(tmp_path, read_export(harness.runtime, runner_id))


def link_imported_runner(harness: Harness, runner_id: int | None = None) -> int:
    """Link the runner's Strava account, signed in or not; all its runs come in."""
    token = sign_in.sign_in(harness.runtime, runner_id) if runner_id else ""
    url = connect.begin_link(
        harness.runtime,
        browser="browser",
        given_consents=ALL_CONSENTS,
        sign_in_token=token,
    )
    state = parse_qs(urlsplit(url).query)["state"][0]
    with harness.world.transaction():
        code = grants.issue_code(harness.world, 7, SCOPE)
    link = connect.finish_link(
        harness.runtime,
        state=state,
        browser="browser",
        code=code,
        scope=SCOPE,
        sign_in_token=token,
    )
    harness.process_all_due()
    return link.runner_id


def list_sources(harness: Harness) -> list[str]:
    with harness.runtime.db.read_only() as session:
        return sorted(session.scalars(select(Run.source)))


def list_answered_sources(harness: Harness) -> list[str]:
    """Return of which source the runs are that were answered and asked about."""
    with harness.runtime.db.read_only() as session:
        rows = [
            session.scalars(select(Run.source).join(table, table.run_id == Run.id))
            for table in (Answer, Survey)
        ]
        return [source for one in rows for source in one]


def test_a_kept_run_stands_in_where_strava_is_not(
    second_instance: Harness, export_file: Path
) -> None:
    import_runner(second_instance.runtime, export_file)

    assert list_sources(second_instance) == ["hand"]
    assert list_answered_sources(second_instance) == ["hand", "hand"]


def test_a_kept_run_gives_way_to_stravas_own_that_is_here(
    second_instance: Harness, export_file: Path
) -> None:
    runner_id = link_imported_runner(second_instance)

    import_runner(second_instance.runtime, export_file, runner_id=runner_id)

    assert list_sources(second_instance) == ["strava"] * 11
    assert list_answered_sources(second_instance) == ["strava", "strava"]


def test_a_kept_run_that_gave_way_stands_in_once_stravas_own_goes(
    second_instance: Harness, export_file: Path
) -> None:
    runner_id = link_imported_runner(second_instance)
    import_runner(second_instance.runtime, export_file, runner_id=runner_id)

    disconnect.disconnect(second_instance.runtime, runner_id)

    assert list_sources(second_instance) == ["hand"]
    assert list_answered_sources(second_instance) == ["hand", "hand"]


def test_a_kept_run_gives_way_whenever_stravas_own_comes(
    second_instance: Harness, export_file: Path
) -> None:
    brought = import_runner(second_instance.runtime, export_file)

    link_imported_runner(second_instance, brought.runner_id)

    assert list_sources(second_instance) == ["strava"] * 11
    assert list_answered_sources(second_instance) == ["strava", "strava"]
