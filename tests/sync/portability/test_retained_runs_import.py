"""What a runner kept in their own log stands in elsewhere, too, unless Strava does."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from sync.models import Answer, Run, Survey
from sync.portability.import_runner import bring_in
from sync.runners import connect, disconnect
from sync.settings import Settings
from sync.simulator import grants
from sync.surveys.answering import retained_runs
from tests.support.harness import ALL_BOXES, SCOPE, Stage
from tests.support.second_instance import another, exported, zipped


@pytest.fixture
def there(stage: Stage, sqlite_template: Path, tmp_path: Path) -> Iterator[Stage]:
    with another(stage, sqlite_template, tmp_path) as other:
        yield other


@pytest.fixture
def file(stage: Stage, runner_id: int, tmp_path: Path) -> Path:
    """Pack up a runner who left Strava and kept the run that they answered."""
    values = {**dict(stage.runtime.settings), "strava_retention_days": 7}
    strict = replace(stage.runtime, settings=Settings.model_construct(**values))
    with stage.runtime.db.reading() as session:
        answered = session.scalars(select(Answer.run_id).where(Answer.kind == "run"))
        run_id = answered.one()
    assert run_id
    retained_runs.keep_for_run(strict, runner_id, run_id, keep=True)
    disconnect.disconnect(stage.runtime, runner_id)
    return zipped(tmp_path, exported(stage.runtime, runner_id))


def linked(stage: Stage, runner_id: int | None = None) -> int:
    """Link the runner's Strava account, signed in or not; all its runs come in."""
    url = connect.begin(
        stage.runtime, browser="browser", consents=ALL_BOXES, runner_id=runner_id
    )
    state = parse_qs(urlsplit(url).query)["state"][0]
    with stage.world.change():
        code = grants.give_code(stage.world, 7, SCOPE)
    link = connect.finish(
        stage.runtime, state=state, browser="browser", code=code, scope=SCOPE
    )
    stage.work()
    return link.runner_id


def sources(stage: Stage) -> list[str]:
    with stage.runtime.db.reading() as session:
        return sorted(session.scalars(select(Run.source)))


def answered(stage: Stage) -> list[str]:
    """Return of which source the runs are that were answered and asked about."""
    with stage.runtime.db.reading() as session:
        found = [
            session.scalars(select(Run.source).join(table, table.run_id == Run.id))
            for table in (Answer, Survey)
        ]
        return [source for one in found for source in one]


def test_a_kept_run_stands_in_where_strava_is_not(there: Stage, file: Path) -> None:
    bring_in(there.runtime, file)

    assert sources(there) == ["hand"]
    assert answered(there) == ["hand", "hand"]


def test_a_kept_run_gives_way_to_stravas_own_that_is_here(
    there: Stage, file: Path
) -> None:
    runner_id = linked(there)

    bring_in(there.runtime, file, runner_id=runner_id)

    assert sources(there) == ["strava"] * 11
    assert answered(there) == ["strava", "strava"]


def test_a_kept_run_that_gave_way_stands_in_once_stravas_own_goes(
    there: Stage, file: Path
) -> None:
    runner_id = linked(there)
    bring_in(there.runtime, file, runner_id=runner_id)

    disconnect.disconnect(there.runtime, runner_id)

    assert sources(there) == ["hand"]
    assert answered(there) == ["hand", "hand"]


def test_a_kept_run_gives_way_whenever_stravas_own_comes(
    there: Stage, file: Path
) -> None:
    brought = bring_in(there.runtime, file)

    linked(there, brought.runner_id)

    assert sources(there) == ["strava"] * 11
    assert answered(there) == ["strava", "strava"]
