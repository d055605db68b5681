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
from sync.portability.archive import InvalidExport
from sync.portability.import_runner import import_runner
from sync.runners import withdraw_consent
from sync.settings import Settings
from tests.support.harness import Harness
from tests.support.second_instance import (
    count_rows,
    open_second_instance,
    read_export,
    write_export,
)

pytestmark = pytest.mark.slow

COMES_ALONG = (
    "runs",
    "answers",
    "notes",
    "surveys",
    "decisions",
    "draws",
    "delays",
    "consents",
)
REFERENCES = {
    "run_id": "runs",
    "duplicate_of": "runs",
    "survey_id": "surveys",
    "answer_id": "answers",
}
ACCOUNT = ("strava_athlete_id", "created_at", "zone", "preferences")


@pytest.fixture
def second_instance(
    harness: Harness, sqlite_template: Path, tmp_path: Path
) -> Iterator[Harness]:
    with open_second_instance(harness, sqlite_template, tmp_path) as other:
        yield other


def renumber(files: dict[str, bytes]) -> dict[str, Any]:
    """Return the tables with their rows numbered from one, wherever they stood."""
    tables = {name: json.loads(files[f"{name}.json"]) for name in COMES_ALONG}
    numbers = {
        name: {row["id"]: number for number, row in enumerate(rows, 1)}
        for name, rows in tables.items()
        if name in {"runs", "surveys", "answers", "delays", "consents"}
    }
    for name, rows in tables.items():
        for row in rows:
            for column, table in REFERENCES.items():
                if row.get(column) is not None:
                    row[column] = numbers[table][row[column]]
            if "id" in row:
                row["id"] = numbers[name][row["id"]]
    return tables


def read_account(files: dict[str, bytes]) -> dict[str, Any]:
    read = json.loads(files["account.json"])
    return {name: read[name] for name in ACCOUNT}


def test_an_empty_place_gives_back_every_letter(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    sent = read_export(harness.runtime, runner_id)

    brought = import_runner(second_instance.runtime, write_export(tmp_path, sent))

    back = read_export(second_instance.runtime, brought.runner_id)
    same = [f"{name}.{kind}" for name in COMES_ALONG for kind in ("csv", "json")]
    same += [name for name in sent if name.startswith("study/")]
    assert {name: back[name] for name in same} == {name: sent[name] for name in same}
    assert read_account(back) == read_account(sent)
    assert (brought.runs, brought.answers) == (11, 3)


def test_among_others_only_the_numbers_differ(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    second_instance.finish_run(second_instance.add_athlete(8), ended_minutes_ago=6000)
    second_instance.link_runner(second_instance.add_athlete(8))
    second_instance.process_all_due()
    sent = read_export(harness.runtime, runner_id)

    brought = import_runner(second_instance.runtime, write_export(tmp_path, sent))

    back = read_export(second_instance.runtime, brought.runner_id)
    assert brought.runner_id != runner_id
    assert back["runs.json"] != sent["runs.json"]
    assert renumber(back) == renumber(sent)


def test_the_same_file_twice_doubles_nothing(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    file = write_export(tmp_path, read_export(harness.runtime, runner_id))
    brought = import_runner(second_instance.runtime, file)
    before = count_rows(second_instance.runtime)

    with pytest.raises(InvalidExport, match=f"say --runner {brought.runner_id}"):
        import_runner(second_instance.runtime, file)
    import_runner(second_instance.runtime, file, runner_id=brought.runner_id)

    assert count_rows(second_instance.runtime) == before


def test_the_runner_links_strava_there_and_finds_runs_and_answers(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    brought = import_runner(
        second_instance.runtime,
        write_export(tmp_path, read_export(harness.runtime, runner_id)),
    )
    athlete = second_instance.world.athletes.get(7)
    assert athlete

    linked = second_instance.link_runner(athlete)
    second_instance.process_all_due()

    with second_instance.runtime.db.read_only() as session:
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
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    athlete = second_instance.world.athletes.get(7)
    assert athlete
    linked = second_instance.link_runner(athlete)
    second_instance.process_all_due()
    file = write_export(tmp_path, read_export(harness.runtime, runner_id))

    brought = import_runner(second_instance.runtime, file, runner_id=linked)

    assert (brought.runs, brought.answers) == (11, 3)
    assert count_rows(second_instance.runtime)["run"] == 11
    assert count_rows(second_instance.runtime)["decision"] == 11


def test_a_strict_host_takes_in_what_it_may_keep(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    values = {**dict(second_instance.runtime.settings), "strava_retention_days": 1}
    settings = Settings.model_construct(**values)
    strict = replace(second_instance.runtime, settings=settings)

    import_runner(
        strict, write_export(tmp_path, read_export(harness.runtime, runner_id))
    )

    assert count_rows(second_instance.runtime)["run"] == 1
    assert count_rows(second_instance.runtime)["answer"] == 3


def test_who_agreed_to_an_older_text_comes_and_is_asked_again(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    with harness.runtime.db.transaction() as session:
        session.execute(update(Consent).values(version="2025-01"))

    brought = import_runner(
        second_instance.runtime,
        write_export(tmp_path, read_export(harness.runtime, runner_id)),
    )

    with second_instance.runtime.db.read_only() as session:
        assert not account_state.may_collect_now(session, brought.runner_id)
    assert brought.answers == 3


def test_answers_of_who_took_the_consent_back_stay_out(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    file = write_export(tmp_path, read_export(harness.runtime, runner_id))
    brought = import_runner(second_instance.runtime, file)
    withdraw_consent.withdraw_mood_consent(second_instance.runtime, brought.runner_id)
    before = count_rows(second_instance.runtime)

    with pytest.raises(ConsentMissing):
        import_runner(second_instance.runtime, file, runner_id=brought.runner_id)

    assert count_rows(second_instance.runtime) == before
