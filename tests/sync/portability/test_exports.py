"""An export is asked for, packed by a worker whatever dies, fetched, forgotten."""

import csv
import io
import json
from dataclasses import replace

import pytest
from sqlalchemy import inspect, select

from sync.models import Event, Export, Model, Run, Runner, RunnerWork
from sync.portability import exports
from sync.portability.exports import ExportState
from sync.portability.pack import STEPS, pack_export
from sync.portability.tables import TABLES
from sync.queue import Job
from sync.settings import Settings
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_mail
from tests.sync.portability.killed_packers import (
    ON_BOTH_DATABASES,
    count_rows,
    list_mail_kinds,
    unpack_export,
)

pytestmark = pytest.mark.slow


@ON_BOTH_DATABASES
def test_a_worker_packs_what_was_asked_for(harness: Harness, runner_id: int) -> None:
    before = exports.load_status(harness.runtime, runner_id)
    exports.request_export(harness.runtime, runner_id)
    asked = exports.load_status(harness.runtime, runner_id)
    exports.process_due(harness.runtime)
    ready = exports.load_status(harness.runtime, runner_id)

    packed = exports.load_export(harness.runtime, runner_id)

    assert (before.state, asked.state, ready.state) == (
        ExportState.NONE,
        ExportState.PACKING,
        ExportState.READY,
    )
    assert Job.EXPORT in harness.queue.wakes
    assert (asked.done, ready.done, ready.steps) == (0, STEPS, STEPS)
    assert len(packed or b"") <= (ready.size_bytes or 0) <= 2 * 64 * 1024
    assert "8230.4" in unpack_export(packed)["runs.csv"]


@ON_BOTH_DATABASES
def test_each_table_comes_for_spreadsheets_and_letter_by_letter(
    harness: Harness, runner_id: int
) -> None:
    files = unpack_export(pack_export(harness.runtime, runner_id))

    for name in TABLES:
        rows = json.loads(files[f"{name}.json"])
        lines = list(csv.DictReader(io.StringIO(files[f"{name}.csv"])))
        assert len(rows) == len(lines)
        assert rows or name in {"exports", "sweep"}, name
    moods = [row["said"].get("mood") for row in json.loads(files["answers.json"])]
    assert moods[:2] == [0, 1]
    assert (
        json.loads(files["account.json"])["email"] == f"runner{runner_id}@example.org"
    )
    assert "8230.4" in files["study/runs.csv"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@A1", "\t=1"])
def test_no_spreadsheet_takes_a_text_for_a_formula(
    harness: Harness, runner_id: int, text: str
) -> None:
    with harness.runtime.db.transaction() as session:
        session.scalars(select(Run)).first().device = text  # type: ignore[union-attr]

    files = unpack_export(pack_export(harness.runtime, runner_id))

    lines = csv.DictReader(io.StringIO(files["runs.csv"]))
    assert f"'{text}" in {line["device"] for line in lines}
    assert text in {run["device"] for run in json.loads(files["runs.json"])}


def test_no_file_holds_a_secret(harness: Harness, runner_id: int) -> None:
    with harness.runtime.db.read_only() as session:
        secrets = [
            str(value)
            for table in Model.metadata.sorted_tables
            for column in table.c
            if column.name.endswith("_hash") or column.name == "dedupe_key"
            for value in session.scalars(select(column).where(column.is_not(None)))
        ]
    tokens = [
        token
        for grant in [harness.world.grants.get(7)]
        for token in ([grant.access_token, grant.refresh_token] if grant else [])
    ]

    everything = "\n".join(
        unpack_export(pack_export(harness.runtime, runner_id)).values()
    )

    assert secrets
    assert tokens
    assert [one for one in (*secrets, *tokens) if one in everything] == []


def test_every_table_about_a_runner_is_in_it() -> None:
    about_runners = {
        mapper.class_
        for mapper in Model.registry.mappers
        if "runner_id" in inspect(mapper.class_).columns
    }

    exported = {held.model for held in TABLES.values()}
    # When a worker next looks at a runner is this instance's own affair.
    assert exported == about_runners - {RunnerWork} | {Event}


def test_there_is_one_export_a_runner_and_a_new_one_replaces_it(
    harness: Harness, runner_id: int
) -> None:
    exports.request_export(harness.runtime, runner_id)
    exports.request_export(harness.runtime, runner_id)
    exports.process_due(harness.runtime)
    first = exports.load_export(harness.runtime, runner_id)
    exports.request_export(harness.runtime, runner_id)
    meanwhile = exports.load_export(harness.runtime, runner_id)
    exports.process_due(harness.runtime)

    second = exports.load_export(harness.runtime, runner_id)

    assert count_rows(harness, Export) == 1
    assert first
    assert meanwhile is None
    assert second


def test_an_export_is_its_runners_alone(harness: Harness, runner_id: int) -> None:
    other = harness.link_runner(harness.add_athlete(8))
    exports.request_export(harness.runtime, runner_id)

    exports.process_due(harness.runtime)

    assert exports.load_export(harness.runtime, other) is None
    assert exports.load_status(harness.runtime, other).state is ExportState.NONE


@pytest.mark.parametrize(("retention_days", "days"), [(None, 7), (7, 1)])
def test_an_export_is_forgotten_in_time(
    harness: Harness, runner_id: int, retention_days: int | None, days: int
) -> None:
    values = {**dict(harness.runtime.settings), "strava_retention_days": retention_days}
    runtime = replace(harness.runtime, settings=Settings.model_construct(**values))
    exports.request_export(runtime, runner_id)
    exports.process_due(runtime)
    harness.advance_clock(days=days, minutes=-1)
    exports.purge_expired(runtime)
    almost = exports.load_export(runtime, runner_id)

    harness.advance_clock(minutes=1)
    over = exports.load_export(runtime, runner_id)
    exports.purge_expired(runtime)

    with runtime.db.read_only() as session:
        kept = session.scalars(select(Export.sealed)).all()
    assert almost
    assert over is None
    assert kept == [None]
    assert exports.load_status(runtime, runner_id).state is ExportState.OVER


@ON_BOTH_DATABASES
def test_all_tables_are_of_one_moment(harness: Harness, runner_id: int) -> None:
    athlete = harness.world.athletes.get(7)
    assert athlete

    def after_step(done: int) -> None:
        if done == 1:  # the runs are read: a new one must not show anywhere
            run = harness.finish_run(athlete, ended_minutes_ago=0)
            harness.deliver_event(athlete, run.id, "create")
            harness.process_all_due()

    files = unpack_export(
        pack_export(harness.runtime, runner_id, after_step=after_step)
    )

    held = {row["id"] for row in json.loads(files["runs.json"])}
    decided = {row["run_id"] for row in json.loads(files["decisions.json"])}
    assert decided == held
    assert len(files["study/runs.csv"].splitlines()) == 1 + len(held)
    assert count_rows(harness, Run) == len(held) + 1


@pytest.mark.parametrize("confirmed", [True, False])
def test_the_mail_leads_to_the_page_and_opens_nothing(
    harness: Harness, runner_id: int, *, confirmed: bool
) -> None:
    with harness.runtime.db.transaction() as session:
        runner = session.get_one(Runner, runner_id)
        runner.email_confirmed_at = harness.clock() if confirmed else None
    exports.request_export(harness.runtime, runner_id)

    exports.process_due(harness.runtime)

    kinds = list_mail_kinds(harness)
    assert ("export_ready" in kinds) == confirmed
    if confirmed:
        assert set(read_pending_mail(harness.runtime, "export_ready")) == {
            "expires_at",
            "zone",
        }
