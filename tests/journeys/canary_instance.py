"""A small host of real processes, and words that must never leave its tables."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import requests
from redis import Redis

from sync.queue import CeleryQueue, Job
from sync.simulator import faults
from sync.simulator.activities import RunUpload, upload_run
from sync.simulator.records import Activity, Athlete, SimulatedFault
from sync.simulator.serving import serve_in_thread
from sync.simulator.world import World
from tests.journeys.test_as_services import answers, run_once, service
from tests.support.live_instance import wait_for
from tests.support.servers import HOST, TIMEOUT_S, free_port, run_valkey
from tests.support.smtp_servers import FakeSmtpServer, run_smtp_server
from tests.support.strong_secrets import VERIFY_TOKEN, WEBHOOK_SECRET

ADDRESS = "piep.canary@example.org"
# What nobody may read but the runner: names, a distance in every way to write
# it, an address, and what other servers say when they refuse.
CANARY_WORDS = (
    "Canaria",
    "Zwitscher",
    "Kanarienlauf",
    "Piepmatz",
    "Tirili",
    "13379",
    "13.38",
    "13.4 km",
    "piep.canary",
)
# The device is kept, which Strava asks us to name; a column holds an unknown word.
TABLE_WORDS = ("Canaria", "Kanarienlauf", "Tirili", "piep.canary")
ATHLETE_ID = 777_001


@dataclass
class CanaryInstance:
    """The host, its runner's Strava, its mail server, and all it has written."""

    url: str
    world: World
    mail_server: FakeSmtpServer
    folder: Path
    redis_url: str
    environment: Mapping[str, str]
    runner: requests.Session = field(default_factory=requests.Session)
    tokens: set[str] = field(default_factory=set)

    def wake(self, work: Job) -> None:
        CeleryQueue(self.redis_url).wake(work)

    def finish_run(self) -> Activity:
        with self.world.transaction():
            athlete = self.world.athletes.get(ATHLETE_ID)
            assert athlete
            new_run = RunUpload(distance_m=13379, zone="daytime", silent=True)
            run = upload_run(self.world, athlete, new_run)
            run = replace(run, name="Kanarienlauf", device_name="Piepmatz 9")
            self.world.put_activity(run)
        return run

    def tell(self, run: Activity, aspect: str = "create", **more: object) -> int:
        """Report a run as Strava would; return the status."""
        event = {
            "object_type": "activity",
            "object_id": run.id,
            "aspect_type": aspect,
            "owner_id": ATHLETE_ID,
            "subscription_id": 1,
            "event_time": 1_800_000_000,
            "updates": {"title": "Kanarienlauf"},
        }
        address = f"{self.url}/hooks/strava/{WEBHOOK_SECRET}"
        return requests.post(address, json=event | more, timeout=TIMEOUT_S).status_code

    @contextmanager
    def table_removed(self, table: str) -> Generator[None]:
        """Take a table away, so that whatever needs it fails for real."""
        self._sql(f"ALTER TABLE {table} RENAME TO {table}_away")
        try:
            yield
        finally:
            self._sql(f"ALTER TABLE {table}_away RENAME TO {table}")

    def make_postponed_work_due(self) -> None:
        """Let what has just failed be tried at once, and not in a minute."""
        self._sql("UPDATE runner_work SET due_at = '2000-01-01 00:00:00.000000'")

    @contextmanager
    def unknown_words(self) -> Generator[None]:
        """Store words that are in no closed set, as a newer version may have."""
        self._sql("UPDATE survey SET kind = kind || 'Zwitscher'")
        self._sql("UPDATE decision SET reason = reason || 'Zwitscher'")
        self._sql(
            "UPDATE event SET aspect = aspect || 'Zwitscher', attempts = 0,"
            " due_at = '2000-01-01 00:00:00.000000'"
        )
        try:
            yield
        finally:
            self._sql("UPDATE survey SET kind = replace(kind, 'Zwitscher', '')")
            self._sql("UPDATE decision SET reason = replace(reason, 'Zwitscher', '')")
            self._sql(
                "UPDATE event SET aspect = replace(aspect, 'Zwitscher', ''),"
                " due_at = NULL, parked_for = NULL"
            )

    @contextmanager
    def strava_failing(self, on: str) -> Generator[None]:
        """Let Strava answer 500 and say names in it."""
        fault = SimulatedFault(id=1, kind="status", status=500, on=on)
        with self.world.transaction():
            self.world.faults.put(fault)
        try:
            yield
        finally:
            with self.world.transaction():
                self.world.faults.remove(fault.id)

    def logged(self, part: str) -> str:
        return (self.folder / f"{part}.log").read_text()

    def in_redis(self) -> str:
        """Return every key and value that Redis holds."""
        with Redis.from_url(self.redis_url) as redis:
            return " ".join(
                f"{key!r} {redis.dump(key)!r}" for key in redis.scan_iter("*")
            )

    def in_redis_files(self) -> str:
        """Return the bytes that Redis wrote: each command that came, and a snapshot."""
        with Redis.from_url(self.redis_url) as redis:
            redis.save()
            folder = Path(redis.config_get("dir")["dir"])
            files = [*folder.rglob("*.aof"), *folder.rglob("*.rdb")]
        return read_as_text(files)

    def in_tables(self) -> str:
        """Return the bytes of SQLite's files, its log with them."""
        return read_as_text(self.folder.glob("moodmiles.sqlite3*"))

    def secrets(self) -> set[str]:
        """Return the tokens of links, cookies, Strava and of the host itself."""
        cookies = {cookie.value or "" for cookie in self.runner.cookies}
        grants = {
            token
            for grant in self.world.grants
            for token in (grant.refresh_token, grant.access_token)
        }
        hosts = {WEBHOOK_SECRET, VERIFY_TOKEN, self.environment["SECRET"]}
        secrets = self.tokens | cookies | grants | hosts
        return {text for text in secrets if len(text) > 8}  # a language is no secret

    def _sql(self, statement: str) -> None:
        with sqlite3.connect(
            self.folder / "moodmiles.sqlite3", timeout=TIMEOUT_S
        ) as tables:
            tables.execute("PRAGMA legacy_alter_table = ON")
            tables.execute(statement)
        tables.close()


def read_as_text(files: Iterable[Path]) -> str:
    return "".join(file.read_bytes().decode(errors="replace") for file in files)


@contextmanager
def open_canary_instance(folder: Path) -> Iterator[CanaryInstance]:
    """Start web and a worker, one logging JSON and one text, on real servers."""
    faults.MAINTENANCE_PAGE = "<h1>Canaria Zwitscher, Kanarienlauf, 13379 m</h1>"
    world, port, secret = World(), free_port(), "a canary of a key that is long enough"
    with world.transaction():
        athlete = Athlete(
            id=ATHLETE_ID,
            firstname="Canaria",
            lastname="Zwitscher",
            zone="Europe/Berlin",
            created_s=0,
        )
        world.athletes.put(athlete)
    with ExitStack() as stack:
        strava = stack.enter_context(serve_in_thread(world))
        post = stack.enter_context(run_smtp_server())
        redis_folder = Path(stack.enter_context(TemporaryDirectory()))
        redis_url = stack.enter_context(run_valkey(redis_folder)).url
        url = f"http://{HOST}:{port}"
        environment = {
            "DATA_DIR": str(folder),
            "REDIS_URL": redis_url,
            "SMTP_URL": post.url,
            "MAIL_FROM": "Moodmiles <moodmiles@example.org>",
            "PUBLIC_URL": url,
            "PORT": str(port),
            "SECRET_KEYS": secret,
            "STRAVA_CLIENT_ID": "1",
            "STRAVA_CLIENT_SECRET": "simulated",
            "STRAVA_SITE_URL": strava,
            "STRAVA_API_URL": f"{strava}/api/v3",
            "STRAVA_VERIFY_TOKEN": VERIFY_TOKEN,
            "STRAVA_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "WORKER_PROCESSES": "1",
        }
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("MOODMILES_")},
            **{f"MOODMILES_{name}": value for name, value in environment.items()},
        }
        run_once(("db", "upgrade"), environment)
        for part, style in (("web", "json"), ("worker", "text")):
            logging = environment | {"MOODMILES_LOG_FORMAT": style}
            stack.enter_context(service(part, logging, folder / f"{part}.log"))
        wait_for(lambda: answers(f"{url}/readyz"))
        environment["SECRET"] = secret
        yield CanaryInstance(url, world, post, folder, redis_url, environment)
    world.close()


def run_and_capture(command: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """Run a host's command and return everything that it prints."""
    completed = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "host.cli", *command],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return completed.stdout + completed.stderr
