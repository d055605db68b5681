"""A runner who moves to another Moodmiles has there what they had here."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from sync import account_state
from sync.errors import ConsentMissing
from sync.models import Answer, Consent, Run, Survey
from sync.portability.archive import NotAnExport
from sync.portability.import_runner import bring_in
from sync.runners import withdraw_consent
from sync.settings import Settings
from tests.support.harness import Stage
from tests.support.second_instance import another, counts, exported, zipped

pytestmark = pytest.mark.slow

COMES_ALONG = ("runs", "answers", "surveys", "decisions", "draws", "consents")
REFERENCES = {"run_id": "runs", "duplicate_of": "runs", "survey_id": "surveys"}
ACCOUNT = ("strava_athlete_id", "created_at", "zone", "preferences")


@pytest.fixture
def there(stage: Stage, sqlite_template: Path, tmp_path: Path) -> Iterator[Stage]:
    with another(stage, sqlite_template, tmp_path) as other:
        yield other


def renumbered(files: dict[str, bytes]) -> dict[str, Any]:
    """Return the tables with their rows numbered from one, wherever they stood."""
    tables = {name: json.loads(files[f"{name}.json"]) for name in COMES_ALONG}
    numbers = {
        name: {row["id"]: number for number, row in enumerate(rows, 1)}
        for name, rows in tables.items()
        if name in {"runs", "surveys", "answers", "consents"}
    }
    for name, rows in tables.items():
        for row in rows:
            for column, table in REFERENCES.items():
                if row.get(column) is not None:
                    row[column] = numbers[table][row[column]]
            if "id" in row:
                row["id"] = numbers[name][row["id"]]
    return tables


def account(files: dict[str, bytes]) -> dict[str, Any]:
    read = json.loads(files["account.json"])
    return {name: read[name] for name in ACCOUNT}


def test_an_empty_place_gives_back_every_letter(
    stage: Stage, runner_id: int, there: Stage, tmp_path: Path
) -> None:
    sent = exported(stage.runtime, runner_id)

    brought = bring_in(there.runtime, zipped(tmp_path, sent))

    back = exported(there.runtime, brought.runner_id)
    same = [f"{name}.{kind}" for name in COMES_ALONG for kind in ("csv", "json")]
    same += [name for name in sent if name.startswith("study/")]
    assert {name: back[name] for name in same} == {name: sent[name] for name in same}
    assert account(back) == account(sent)
    assert (brought.runs, brought.answers) == (11, 3)


def test_among_others_only_the_numbers_differ(
    stage: Stage, runner_id: int, there: Stage, tmp_path: Path
) -> None:
    there.run(there.athlete(8), ended_minutes_ago=6000)
    there.link(there.athlete(8))
    there.work()
    sent = exported(stage.runtime, runner_id)

    brought = bring_in(there.runtime, zipped(tmp_path, sent))

    back = exported(there.runtime, brought.runner_id)
    assert brought.runner_id != runner_id
    assert back["runs.json"] != sent["runs.json"]
    assert renumbered(back) == renumbered(sent)


def test_the_same_file_twice_doubles_nothing(
    stage: Stage, runner_id: int, there: Stage, tmp_path: Path
) -> None:
    file = zipped(tmp_path, exported(stage.runtime, runner_id))
    brought = bring_in(there.runtime, file)
    before = counts(there.runtime)

    with pytest.raises(NotAnExport, match=f"say --runner {brought.runner_id}"):
        bring_in(there.runtime, file)
    bring_in(there.runtime, file, runner_id=brought.runner_id)

    assert counts(there.runtime) == before


def test_the_runner_links_strava_there_and_finds_runs_and_answers(
    stage: Stage, runner_id: int, there: Stage, tmp_path: Path
) -> None:
    brought = bring_in(
        there.runtime, zipped(tmp_path, exported(stage.runtime, runner_id))
    )
    athlete = there.world.athletes.get(7)
    assert athlete

    linked = there.link(athlete)
    there.work()

    with there.runtime.db.reading() as session:
        paired = session.scalars(
            select(Answer.run_id).where(Answer.kind == "run")
        ).all()
        runs = session.scalars(select(Run.id)).all()
        surveys = session.scalars(select(Survey.id)).all()
    assert linked == brought.runner_id
    assert len(runs) == 11
    assert set(paired) <= set(runs)
    assert len(surveys) == 1


def test_who_linked_strava_there_first_gets_what_is_missing(
    stage: Stage, runner_id: int, there: Stage, tmp_path: Path
) -> None:
    athlete = there.world.athletes.get(7)
    assert athlete
    linked = there.link(athlete)
    there.work()
    file = zipped(tmp_path, exported(stage.runtime, runner_id))

    brought = bring_in(there.runtime, file, runner_id=linked)

    assert (brought.runs, brought.answers) == (11, 3)
    assert counts(there.runtime)["run"] == 11
    assert counts(there.runtime)["decision"] == 11


def test_a_strict_host_takes_in_what_it_may_keep(
    stage: Stage, runner_id: int, there: Stage, tmp_path: Path
) -> None:
    values = {**dict(there.runtime.settings), "strava_retention_days": 1}
    settings = Settings.model_construct(**values)
    strict = replace(there.runtime, settings=settings)

    bring_in(strict, zipped(tmp_path, exported(stage.runtime, runner_id)))

    assert counts(there.runtime)["run"] == 1
    assert counts(there.runtime)["answer"] == 3


def test_who_agreed_to_an_older_text_comes_and_is_asked_again(
    stage: Stage, runner_id: int, there: Stage, tmp_path: Path
) -> None:
    with stage.runtime.db.transaction() as session:
        session.execute(update(Consent).values(version="2025-01"))

    brought = bring_in(
        there.runtime, zipped(tmp_path, exported(stage.runtime, runner_id))
    )

    with there.runtime.db.reading() as session:
        assert not account_state.may_collect_now(session, brought.runner_id)
    assert brought.answers == 3


def test_runs_of_another_runner_are_refused(
    stage: Stage, runner_id: int, there: Stage, tmp_path: Path
) -> None:
    athlete = there.world.athletes.get(7)
    assert athlete
    there.link(athlete)
    there.work()
    files = exported(stage.runtime, runner_id)
    account = json.loads(files["account.json"]) | {"strava_athlete_id": 99}
    files["account.json"] = json.dumps(account).encode()
    before = counts(there.runtime)

    with pytest.raises(NotAnExport, match="another runner's here"):
        bring_in(there.runtime, zipped(tmp_path, files))

    assert counts(there.runtime) == before


def test_answers_of_who_took_the_consent_back_stay_out(
    stage: Stage, runner_id: int, there: Stage, tmp_path: Path
) -> None:
    file = zipped(tmp_path, exported(stage.runtime, runner_id))
    brought = bring_in(there.runtime, file)
    withdraw_consent.withdraw_mood(there.runtime, brought.runner_id)
    before = counts(there.runtime)

    with pytest.raises(ConsentMissing):
        bring_in(there.runtime, file, runner_id=brought.runner_id)

    assert counts(there.runtime) == before
