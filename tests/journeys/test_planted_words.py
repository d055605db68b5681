"""No word that a runner wrote on Strava reaches a table, whichever way it came.

Every text that Strava's records and events can hold is a planted word; afterwards the
whole database is searched, byte by byte: SQLite's files, PostgreSQL's every column.
"""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import update
from werkzeug.test import Client

from sync.models import Model, Runner
from sync.portability.pack import pack_export
from sync.preferences import Preferences
from sync.queue import Job
from sync.runs.changes import save_pulled
from sync.runtime import Runtime
from sync.simulator.records import Athlete
from sync.strava.client import build_page
from sync.surveys.answering import own_notes
from sync.surveys.answering.answer import record_run_answer
from tests.support.clock import NOON
from tests.support.harness import Harness
from tests.support.two_runners import ADDRESS as ADDRESS_OF_A_RUNNER
from tests.support.two_runners import NOTE, add_two_runners
from web.app import create_app
from workers.jobs import PROCESSORS

RECORDS = Path(__file__).parents[1] / "sync" / "strava" / "records"
WORD = "Zwitscherwort"
ADDRESS = "zwitscherwort@example.org"
# What we keep of a record's texts, as `docs/security.md` says, each word by its field.
KEPT = {"device_name": "the device, which Strava asks us to name"}
# These must be what they are for the record to be a run.
NEEDED = {"sport_type", "type", "start_date", "start_date_local", "timezone"}
NEEDED |= {"visibility", "id"}
TEXTS = (
    "name",
    "description",
    "private_note",
    "location_city",
    "location_state",
    "location_country",
    "gear_id",
    "external_id",
    "upload_id_str",
    "embed_token",
    "something_new",
)
UPDATES = ("title", "name", "description", "something_new", "type", "private")
ASPECTS = ("create", "update", "delete")


def plant(value: Any, field: str = "") -> Any:
    """Replace every text of a record, however deep it lies."""
    match value:
        case dict():
            return {key: plant(item, key) for key, item in value.items()}
        case list():
            return [plant(item, field) for item in value]
        case str() if field not in NEEDED | KEPT.keys():
            return f"{WORD} {field}"
        case _:
            return value


def build_planted_records() -> list[object]:
    """Return a record of each kind that Strava gives, and some that are no use."""
    samples = [json.loads(path.read_text()) for path in sorted(RECORDS.glob("*.json"))]
    extra: dict[str, Any] = {field: f"{WORD} {field}" for field in TEXTS}
    extra |= {
        "athlete": {"id": 7, "firstname": WORD, "lastname": WORD, "email": ADDRESS},
        "map": {"polyline": WORD, "summary_polyline": WORD},
        "gear": {"id": WORD, "name": WORD},
        "photos": {"primary": {"urls": {"600": f"https://example.org/{WORD}"}}},
        "segment_efforts": [{"name": WORD, "segment": {"name": WORD, "city": WORD}}],
        "laps": [{"name": WORD}],
        WORD: WORD,
    }
    records: list[object] = []
    for number, sample in enumerate(samples * 3, start=500):
        records.append(plant(sample) | extra | {"id": number})
    for number, odd in enumerate(
        ({"distance": WORD}, {"start_date": WORD}, {"sport_type": WORD}, {"id": WORD}),
        start=600,
    ):
        records.append(plant(samples[0]) | extra | {"id": number} | odd)
    return records


def build_planted_events() -> Iterator[dict[str, Any]]:
    for number, aspect in enumerate(ASPECTS):
        for field in UPDATES:
            yield {
                "object_type": "activity",
                "object_id": 500 + number,
                "aspect_type": aspect,
                "owner_id": 7,
                "subscription_id": 1,
                "event_time": int(NOON.timestamp()) + number,
                "updates": {field: f"{WORD} {field}", WORD: WORD},
                "something_new": WORD,
            }
    yield {"object_type": "athlete", "object_id": 7, "aspect_type": "update"} | {
        "owner_id": 7,
        "subscription_id": 1,
        "event_time": int(NOON.timestamp()),
        "updates": {"authorized": WORD, "firstname": WORD, "email": ADDRESS},
    }
    yield {"object_type": WORD, "object_id": 1, "aspect_type": WORD, "owner_id": 7} | {
        "subscription_id": 1,
        "event_time": int(NOON.timestamp()),
    }


def dump_database(runtime: Runtime) -> dict[str, bytes]:
    """Return all that the database holds, by table or file, as it lies there."""
    engine = runtime.db.engine
    if engine.dialect.name == "sqlite":
        path = Path(engine.url.database or "")
        return {
            file.name: file.read_bytes() for file in path.parent.glob(f"{path.name}*")
        }
    dump = {}
    with engine.connect() as connection:
        driver_connection = connection.connection.driver_connection
        assert driver_connection is not None
        for name in [*Model.metadata.tables]:
            with driver_connection.cursor().copy(f"COPY {name} TO STDOUT") as copy:
                dump[name] = b"".join(bytes(block) for block in copy)
    return dump


def find_words(dump: dict[str, bytes], *words: str) -> list[str]:
    return [
        f"{name}: {content[max(0, found - 60) : found + 40]!r}"
        for name, content in dump.items()
        for word in words
        if (found := content.lower().find(word.lower().encode())) >= 0
    ]


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_what_runners_write_here_lies_sealed(harness: Harness) -> None:
    """Answers, lines for oneself, the address, and the tokens that were mailed."""
    two_runners = add_two_runners(harness)
    runtime, runner_id = two_runners.runtime, two_runners.subject_id
    run_id = int(two_runners.ids["run"])
    with runtime.db.transaction() as session:
        session.execute(
            update(Runner)
            .where(Runner.id == runner_id)
            .values(preferences=Preferences(distance_in_mail=True))
        )
    record_run_answer(
        runtime,
        runner_id=runner_id,
        run_id=run_id,
        values={"mood": 2, "stress": 4, "energy": 3},
    )
    for note in (f"{WORD} first", f"{WORD} second"):
        own_notes.save_for_run(runtime, runner_id=runner_id, run_id=run_id, text=note)
    tokens = [value for name, value in two_runners.ids.items() if "token" in name]

    dump = dump_database(runtime)

    assert find_words(dump, "mood") != []  # the names of consents: it was all read
    assert len(tokens) > 3
    assert find_words(dump, WORD, NOTE, ADDRESS_OF_A_RUNNER, *tokens) == []
    assert find_words(dump, '"stress": 4', '"stress":4', '"mood": 2', '"mood":2') == []


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_what_runners_write_on_strava_reaches_no_table(harness: Harness) -> None:
    athlete = Athlete(
        id=7, firstname=WORD, lastname=WORD, zone="Europe/Berlin", created_s=0
    )
    with harness.world.transaction():
        harness.world.athletes.put(athlete)
    runner_id = harness.link_runner(athlete)
    for job in Job:
        if job is not Job.OUTBOX:
            PROCESSORS[job](harness.runtime)

    save_pulled(harness.runtime, runner_id, build_page(build_planted_records()))
    client = Client(create_app(harness.runtime))
    base_url = harness.runtime.settings.public_url
    secret = harness.runtime.settings.strava_webhook_secret
    assert secret is not None
    hook = f"/hooks/strava/{secret.get_secret_value()}"
    statuses = {
        client.post(
            f"{hook}?{WORD}={WORD}",
            json=event,
            base_url=base_url,
            headers={"User-Agent": WORD, f"X-{WORD}": WORD, "Referer": WORD},
        ).status_code
        for event in build_planted_events()
    }
    client.post(f"/hooks/strava/{WORD}", json={WORD: WORD}, base_url=base_url)
    for _ in range(3):
        for job in Job:
            if job is not Job.OUTBOX:
                PROCESSORS[job](harness.runtime)
        harness.advance_clock(days=2)

    dump = dump_database(harness.runtime)
    assert statuses <= {200, 400}
    # It was all read: else nothing could be found.
    assert find_words(dump, "Forerunner") != []
    assert find_words(dump, WORD, ADDRESS) == []
    with ZipFile(BytesIO(pack_export(harness.runtime, runner_id))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert len(files) > 5
    assert find_words(files, WORD, ADDRESS) == []
