"""How long from "event received" to "mail handed to SMTP": median and p99.

    python -m tests.lab.bench.mail_delay [RUNNERS]

A whole instance runs as `moodmiles up` starts it, embedded and then on
PostgreSQL and a Redis of its own.  Each runner, who wants to be asked straight
away, finishes one run; both moments are those that the tables hold.
"""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import requests
from sqlalchemy import select

from sync import log
from sync.models import Event, Mail, Runner
from sync.runners import connect, preferences
from sync.runners.rules import ConsentChoices
from sync.runtime import Runtime, build
from sync.settings import load
from sync.strava import SCOPE
from sync.vocabulary import SealedColumn
from tests.support.live_instance import LiveInstance, start_instance, wait_for
from tests.support.postgres import provide_postgres
from tests.support.servers import run_valkey

RUNNERS = 60
BOXES = ConsentChoices(strava=True, mood=True, mail=True, adult=True)


def main() -> None:
    log.configure("text")  # its lines go to stderr, the figures to stdout
    count = int(sys.argv[1]) if len(sys.argv) > 1 else RUNNERS
    report("embedded", measure(count, {}))
    with ExitStack() as stack:
        servers = {
            "MOODMILES_DATABASE_URL": stack.enter_context(provide_postgres()),
            "MOODMILES_REDIS_URL": stack.enter_context(run_valkey()).url,
        }
        report("PostgreSQL + Redis", measure(count, servers))


def report(name: str, waits_s: list[float]) -> None:
    p99 = quantiles(waits_s, n=100)[98]
    print(f"{name:20} {len(waits_s)} mails: median {median(waits_s):.2f} s, ", end="")
    print(f"p99 {p99:.2f} s")


def measure(count: int, settings: Mapping[str, str]) -> list[float]:
    """Let every runner finish a run, one after the other; return the waits."""
    with TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        with start_instance(data_dir, settings=settings) as home:
            runtime = runtime_of(data_dir, settings)
            athletes = link_runners(runtime, home, count)
            for athlete_id in athletes:
                home.finish_run(athlete_id, ended_minutes_ago=0)
            wait_for(lambda: len(read_delays(runtime)) >= count, patience_s=180)
            delays = read_delays(runtime)
            runtime.db.close()
    return delays


def runtime_of(data_dir: Path, settings: Mapping[str, str]) -> Runtime:
    os.environ.update(json.loads((data_dir / "instance.json").read_text()))
    os.environ.update(settings)
    return build(load())


def link_runners(runtime: Runtime, home: LiveInstance, count: int) -> list[int]:
    # Strava's limits are not what is measured here.
    plenty = {"quarter": 10**6, "day": 10**6, "read_quarter": 10**6, "read_day": 10**6}
    call_simulator(home, "limits", plenty)
    call_simulator(home, "app", {"athlete_limit": count + 1})
    grown = call_simulator(home, "grow", {"athletes": count, "runs_each": 1, "seed": 1})
    for athlete_id in grown["athletes"]:
        link(runtime, home, athlete_id)
    return list(grown["athletes"])


def link(runtime: Runtime, home: LiveInstance, athlete_id: int) -> None:
    url = connect.begin_link(runtime, browser="bench", given_consents=BOXES)
    code = call_simulator(home, f"athletes/{athlete_id}/grant", {"scope": SCOPE})[
        "code"
    ]
    linked = connect.finish_link(
        runtime,
        state=url.rsplit("state=", 1)[1],
        browser="bench",
        code=code,
        scope=SCOPE,
    )
    address = f"runner{linked.runner_id}@example.org"
    preferences.save_preferences(runtime, linked.runner_id, {"delay_min": 0})
    with runtime.db.transaction() as session:
        runner = session.get_one(Runner, linked.runner_id)
        runner.email = runtime.sealer.seal(address, SealedColumn.ADDRESS)
        runner.email_hash = runtime.sealer.lookup_hashes(address)[0]
        runner.email_confirmed_at = runtime.now()


def call_simulator(
    home: LiveInstance, verb: str, body: Mapping[str, object]
) -> dict[str, Any]:
    answer = requests.post(
        f"{home.strava_url}/control/{verb}", json=dict(body), timeout=30
    )
    answer.raise_for_status()
    response_body: dict[str, Any] = answer.json()
    return response_body


def read_delays(runtime: Runtime) -> list[float]:
    """Return the seconds between event and mail, for each mail that is out."""
    with runtime.db.read_only() as session:
        rows = session.execute(
            select(Event.received_at, Mail.sent_at)
            .join(Runner, Runner.athlete_id == Event.athlete_id)
            .join(Mail, Mail.runner_id == Runner.id)
            .where(Mail.kind == "survey", Mail.sent_at.is_not(None))
        ).all()
    return [(sent - received_at).total_seconds() for received_at, sent in rows if sent]


if __name__ == "__main__":
    main()
