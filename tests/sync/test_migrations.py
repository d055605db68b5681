"""The migrations make what the models say, on both databases, and undo it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, MetaData, Table, event, func, inspect, select, text

from sync.database import open_engine
from sync.errors import MoodmilesError
from tests.conftest import KEY
from tests.support.former_seals import seal_formerly

CREATED_AT = datetime(2024, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def host_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOODMILES_SECRET_KEYS", KEY)


def build_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", "sync:migrations")
    config.attributes["url"] = url
    return config


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'migrated.sqlite3'}"


def test_migrations_match_the_models_on_sqlite(sqlite_url: str) -> None:
    command.upgrade(build_config(sqlite_url), "head")

    command.check(build_config(sqlite_url))


def test_migrations_match_the_models_on_postgresql(postgres_url: str) -> None:
    command.check(build_config(postgres_url))


def test_down_and_up_again(sqlite_url: str) -> None:
    command.upgrade(build_config(sqlite_url), "head")
    command.downgrade(build_config(sqlite_url), "base")
    engine = open_engine(sqlite_url)
    left = set(inspect(engine).get_table_names())
    engine.dispose()

    command.upgrade(build_config(sqlite_url), "head")

    assert left == {"alembic_version"}
    command.check(build_config(sqlite_url))


@pytest.fixture(params=["sqlite", "postgresql"])
def first_schema_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give a database as the first tables were, with a runner who agreed and ran."""
    if request.param == "sqlite":
        yield fill_database(f"sqlite:///{tmp_path / 'older.sqlite3'}")
        return
    shared = open_engine(request.getfixturevalue("postgres_url"))
    apart = shared.execution_options(isolation_level="AUTOCOMMIT")
    name = f"older_{token_hex(4)}"
    with apart.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        yield fill_database(shared.url.set(database=name).render_as_string(False))
        connection.execute(text(f"DROP DATABASE {name}"))
    shared.dispose()


def fill_database(url: str) -> str:
    command.upgrade(build_config(url), "0001")
    add_runner(url)
    return url


def add_runner(url: str) -> None:
    """Add a runner, and a consent that names them."""
    engine = open_engine(url)
    tables = reflect_tables(engine)
    with engine.begin() as connection:
        runner_id = connection.execute(
            tables["runner"].insert().returning(tables["runner"].c.id),
            {
                "created_at": CREATED_AT,
                "vault_key": seal_formerly(KEY, token_hex(32)),
                "zone": "UTC",
                "preferences": {},
            },
        ).scalar_one()
        connection.execute(
            tables["consent"].insert(),
            {
                "runner_id": runner_id,
                "kind": "mood",
                "version": "2025-01",
                "given_at": CREATED_AT,
            },
        )
    engine.dispose()


def reflect_tables(engine: Engine) -> dict[str, Table]:
    metadata = MetaData()
    metadata.reflect(engine)
    return dict(metadata.tables)


def read_rows(url: str) -> tuple[int, int]:
    """Count the runners, and what they agreed to."""
    engine = open_engine(url)
    tables = reflect_tables(engine)
    with engine.connect() as connection:
        counted = [
            connection.execute(select(func.count()).select_from(tables[name]))
            for name in ("runner", "consent")
        ]
        runners, consents = (count.scalar_one() for count in counted)
    engine.dispose()
    return runners, consents


def test_what_runners_have_stays_on_the_way_up_and_down(first_schema_url: str) -> None:
    command.upgrade(build_config(first_schema_url), "0003")
    above = read_rows(first_schema_url)

    command.downgrade(build_config(first_schema_url), "0001")

    assert (above, read_rows(first_schema_url)) == ((1, 1), (1, 1))


def test_what_is_sealed_anew_goes_back_by_a_backup_alone(first_schema_url: str) -> None:
    command.upgrade(build_config(first_schema_url), "0004")

    with pytest.raises(MoodmilesError, match="restore the backup"):
        command.downgrade(build_config(first_schema_url), "0003")

    assert read_rows(first_schema_url) == (1, 1)
    command.upgrade(build_config(first_schema_url), "head")


def test_what_runners_wrote_leaves_the_stored_events(first_schema_url: str) -> None:
    engine = open_engine(first_schema_url)
    event = {
        "subject": "activity",
        "subject_id": 1,
        "aspect": "update",
        "athlete_id": 7,
        "happened_at": CREATED_AT,
        "received_at": CREATED_AT,
        "attempts": 0,
    }
    stored = [
        {"title": "with Ada", "type": "ride"},
        {"title": "x"},
        {"private": "true"},
    ]
    table = reflect_tables(engine)["event"]
    with engine.begin() as connection:
        for number, updates in enumerate(stored):
            row = event | {"dedupe_key": str(number), "updates": updates}
            connection.execute(table.insert(), row)

    command.upgrade(build_config(first_schema_url), "head")

    with engine.connect() as connection:
        left = connection.execute(select(table.c.updates)).scalars().all()
    engine.dispose()
    assert sorted(left, key=str) == [{"private": "true"}, {"type": "ride"}, {}]


def test_a_verdict_that_no_version_knows_is_one_that_this_one_knows(
    first_schema_url: str,
) -> None:
    engine = open_engine(first_schema_url)
    tables = reflect_tables(engine)
    with engine.begin() as connection:
        runner_id = connection.execute(select(tables["runner"].c.id)).scalar_one()
        run_id = connection.execute(
            tables["run"].insert().returning(tables["run"].c.id),
            {
                "runner_id": runner_id,
                "source": "strava",
                "source_id": 1,
                "sport": "Run",
                "started_at": CREATED_AT,
                "start_known": True,
                "offset_s": 0,
                "local_day": CREATED_AT.date(),
                "distance_m": 500.0,
                "moving_s": 200,
                "elapsed_s": 200,
                "treadmill": False,
                "manual": False,
                "race": False,
                "with_others": False,
                "visibility": "everyone",
                "fetched_at": CREATED_AT,
                "imported": False,
                "counted": True,
                "chosen": False,
            },
        ).scalar_one()
        connection.execute(
            tables["decision"].insert(),
            {
                "run_id": run_id,
                "runner_id": runner_id,
                "verdict": "skip",
                "reason": "too short",
                "policy": {},
                "decided_at": CREATED_AT,
            },
        )
    engine.dispose()

    command.upgrade(build_config(first_schema_url), "head")

    upgraded = open_engine(first_schema_url)
    with upgraded.connect() as connection:
        verdict = select(reflect_tables(upgraded)["decision"].c.verdict)
        assert connection.execute(verdict).scalar_one() == "withhold"
    upgraded.dispose()


def add_run(url: str, number: int, *, started_at: datetime, elapsed_s: int) -> None:
    """Add a run of the first schema that was decided about as soon as it came."""
    engine = open_engine(url)
    tables = reflect_tables(engine)
    with engine.begin() as connection:
        runner_id = connection.execute(select(tables["runner"].c.id)).scalar_one()
        run = {
            "id": number,
            "runner_id": runner_id,
            "source": "strava",
            "source_id": number,
            "sport": "Run",
            "started_at": started_at,
            "start_known": True,
            "offset_s": 0,
            "local_day": started_at.date(),
            "distance_m": 5000.0,
            "moving_s": 1800,
            "elapsed_s": elapsed_s,
            "treadmill": False,
            "manual": False,
            "race": False,
            "with_others": False,
            "visibility": "everyone",
            # It was read again a month after it came.
            "fetched_at": CREATED_AT + timedelta(days=30),
            "imported": False,
            "counted": True,
            "chosen": False,
        }
        connection.execute(tables["run"].insert(), run)
        decision = {
            "run_id": number,
            "runner_id": runner_id,
            "verdict": "send",
            "reason": "after the run",
            "policy": {},
            "decided_at": CREATED_AT,
        }
        connection.execute(tables["decision"].insert(), decision)
    engine.dispose()


def test_stored_runs_are_judged_by_when_they_came(first_schema_url: str) -> None:
    url = first_schema_url
    hour, week = timedelta(hours=1), timedelta(weeks=1)
    add_run(url, 1, started_at=CREATED_AT - hour, elapsed_s=2000)
    add_run(url, 2, started_at=CREATED_AT + 3 * hour, elapsed_s=1800)
    add_run(url, 3, started_at=CREATED_AT + 400 * week, elapsed_s=1800)
    add_run(url, 4, started_at=CREATED_AT - hour, elapsed_s=4_208_365)

    command.upgrade(build_config(url), "head")

    engine = open_engine(url)
    run = reflect_tables(engine)["run"]
    with engine.connect() as connection:
        judged = connection.execute(
            select(run.c.id, run.c.clock_ahead, run.c.trusted_elapsed_s).order_by(
                run.c.id
            )
        ).all()
    engine.dispose()
    assert [(row.id, bool(row.clock_ahead)) for row in judged] == [
        (1, False),
        (2, True),
        (3, True),
        (4, False),
    ]
    assert (judged[0].trusted_elapsed_s, judged[3].trusted_elapsed_s) == (2000, 1800)


def test_stored_runs_are_judged_by_what_was_reported(first_schema_url: str) -> None:
    url = first_schema_url
    day = timedelta(days=1)
    rows = [
        (5000.0, 1800, 2000, (1800, 2000, False)),
        (5000.0, 0, 1800, (1800, 1800, False)),
        (5000.0, 36_000, 1800, (1800, 1800, False)),
        (5000.0, 1800, 4_208_365, (1800, 1800, False)),
        (0.0, 0, 1800, (1800, 1800, False)),
        (500_000.0, 3600, 3600, (3600, 3600, True)),
    ]
    for number in range(1, len(rows) + 1):
        add_run(url, number, started_at=CREATED_AT - 90 * number * day, elapsed_s=1800)
    engine = open_engine(url)
    run = reflect_tables(engine)["run"]
    with engine.begin() as connection:
        for number, (distance_m, moving_s, elapsed_s, _) in enumerate(rows, 1):
            connection.execute(
                run.update()
                .where(run.c.id == number)
                .values(distance_m=distance_m, moving_s=moving_s, elapsed_s=elapsed_s)
            )
    engine.dispose()

    command.upgrade(build_config(url), "head")

    engine = open_engine(url)
    run = reflect_tables(engine)["run"]
    with engine.connect() as connection:
        judged = connection.execute(select(run).order_by(run.c.id)).all()
    engine.dispose()
    assert [
        (row.trusted_moving_s, row.trusted_elapsed_s, bool(row.implausible))
        for row in judged
    ] == [expected for *_, expected in rows]


def test_what_a_run_ahead_counted_for_counts_itself(first_schema_url: str) -> None:
    url = first_schema_url
    hour = timedelta(hours=1)
    for number in (1, 2, 3, 4, 5):
        is_ahead = number == 1
        started_at = CREATED_AT + 3 * hour if is_ahead else CREATED_AT - hour
        add_run(url, number, started_at=started_at, elapsed_s=1800)
    engine = open_engine(url)
    run = reflect_tables(engine)["run"]
    with engine.begin() as connection:
        connection.execute(
            run.update()
            .where(run.c.id.in_([2, 3, 4]))
            .values(duplicate_of=1, counted=False)
        )
        connection.execute(
            run.update().where(run.c.id == 2).values(hidden_at=CREATED_AT)
        )
    engine.dispose()

    command.upgrade(build_config(url), "head")

    engine = open_engine(url)
    with engine.connect() as connection:
        columns = (run.c.id, run.c.counted, run.c.duplicate_of)
        counted = connection.execute(
            select(*columns).where(run.c.id <= 5).order_by(run.c.id)
        ).all()
    engine.dispose()
    assert [(row.id, bool(row.counted), row.duplicate_of) for row in counted] == [
        (1, True, None),
        (2, True, None),
        (3, True, None),
        (4, False, 3),
        (5, True, None),
    ]


def test_who_was_here_before_is_warned_a_year_from_today_at_the_earliest(
    first_schema_url: str,
) -> None:
    before = datetime.now(UTC)

    command.upgrade(build_config(first_schema_url), "head")

    engine = open_engine(first_schema_url)
    with engine.connect() as connection:
        seen = select(reflect_tables(engine)["runner"].c.active_at)
        active_at = connection.execute(seen).scalar_one()
    engine.dispose()
    if active_at.tzinfo is None:
        active_at = active_at.replace(tzinfo=UTC)
    assert before - timedelta(seconds=1) <= active_at <= datetime.now(UTC)


def write_down_numbers(url: str) -> None:
    """Leave traces of rows that are gone: runner 12, run 40 and export 7."""
    engine = open_engine(url)
    tables = reflect_tables(engine)
    with engine.begin() as connection:
        runner_id = connection.execute(select(tables["runner"].c.id)).scalar_one()
        mail = {
            "message_id": "",
            "created_at": CREATED_AT,
            "stale_at": CREATED_AT,
            "attempts": 0,
        }
        for kind, key in (
            ("deleted", "deleted:12:20260101000000000000"),
            ("export_ready", "export:7:20260101000000000000"),
            ("undo", f"undo:{'9' * 64}"),
        ):
            row = mail | {"kind": kind, "dedupe_key": key}
            connection.execute(tables["mail"].insert(), row)
        connection.execute(
            tables["answer"].insert(),
            {
                "runner_id": runner_id,
                "kind": "run",
                "instrument": "run-1",
                "reversed_order": False,
                "answered_at": CREATED_AT,
                "tags": {"earlier_runs": [40, 3]},
                "sealed": b"",
            },
        )
    engine.dispose()


def read_columns(url: str, columns: dict[str, list[str]]) -> dict[str, Any]:
    """Return these columns of all rows, by the name of the table."""
    engine = open_engine(url)
    with engine.connect() as connection:
        rows = {
            name: connection.execute(
                text(f"SELECT {', '.join(names)} FROM {name} ORDER BY 1")  # noqa: S608
            ).all()
            for name, names in columns.items()
        }
    engine.dispose()
    return rows


def read_definitions(url: str, kind: str = "%") -> dict[str, str]:
    """Return what SQLite keeps of the statements that made tables and indexes."""
    engine = open_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT name, sql FROM sqlite_master WHERE type LIKE :kind AND sql > ''"
            ),
            {"kind": kind},
        )
        definitions = {row.name: row[1] for row in rows}
    engine.dispose()
    return definitions


def test_every_row_and_index_stays_where_sqlite_learns_to_number(
    sqlite_url: str,
) -> None:
    command.upgrade(build_config(sqlite_url), "0004")
    add_runner(sqlite_url)
    write_down_numbers(sqlite_url)
    engine = open_engine(sqlite_url)
    columns = {name: table.c.keys() for name, table in reflect_tables(engine).items()}
    engine.dispose()
    del columns["alembic_version"]
    rows = read_columns(sqlite_url, columns)
    indexes = read_definitions(sqlite_url, "index")

    command.upgrade(build_config(sqlite_url), "0005")

    assert read_columns(sqlite_url, columns) == rows
    assert indexes.items() <= read_definitions(sqlite_url, "index").items()


def test_no_number_that_anything_still_names_is_given_again(sqlite_url: str) -> None:
    command.upgrade(build_config(sqlite_url), "0004")
    add_runner(sqlite_url)
    write_down_numbers(sqlite_url)

    command.upgrade(build_config(sqlite_url), "0005")

    engine = open_engine(sqlite_url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT name, seq FROM sqlite_sequence"))
        given = {row.name: row[1] for row in rows}
    engine.dispose()
    assert (given["runner"], given["run"], given["export"]) == (12, 40, 7)
    assert given["mail"] == 3


def test_a_step_that_breaks_off_leaves_the_tables_as_they_were(
    sqlite_url: str,
) -> None:
    command.upgrade(build_config(sqlite_url), "0004")
    add_runner(sqlite_url)
    before = read_definitions(sqlite_url)

    def break_off(*arguments: Any) -> None:
        if "DROP TABLE survey" in arguments[2]:
            raise OSError("the disk is full")

    event.listen(Engine, "before_cursor_execute", break_off)
    try:
        with pytest.raises(OSError, match="full"):
            command.upgrade(build_config(sqlite_url), "0005")
    finally:
        event.remove(Engine, "before_cursor_execute", break_off)

    assert read_definitions(sqlite_url) == before
    assert read_rows(sqlite_url) == (1, 1)


def test_a_step_that_would_leave_a_loose_end_is_undone(sqlite_url: str) -> None:
    fill_database(sqlite_url)
    engine = open_engine(sqlite_url)
    with engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        connection.execute(text("DELETE FROM runner"))
        connection.commit()
    engine.dispose()

    with pytest.raises(MoodmilesError, match="rows of consent name rows of runner"):
        command.upgrade(build_config(sqlite_url), "head")

    engine = open_engine(sqlite_url)
    tables = set(inspect(engine).get_table_names())
    engine.dispose()
    assert "export" not in tables
