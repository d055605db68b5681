"""A club's whole installation beside a simulated Strava, all of it ours to break."""

import os
import shutil
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from time import sleep

import requests
from celery import Celery
from kombu.exceptions import OperationalError
from pydantic import SecretStr
from redis import RedisError

from sync.crypto import Sealer
from sync.database import Database, open_engine
from sync.queue import BROKER_OPTIONS
from sync.runtime import Runtime
from sync.settings import Settings
from sync.simulator.records import App, DeliverySettings, Limits
from sync.simulator.serving import serve_in_thread
from sync.simulator.world import World
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.conftest import KEY, migrate
from tests.lab.chaos.clocks import FaketimeClocks
from tests.lab.chaos.mail_server import StoppableMailServer
from tests.lab.chaos.processes import KillableProcess, run_once
from tests.support.harness import Harness
from tests.support.postgres import PostgresServer
from tests.support.recording_queue import RecordingQueue
from tests.support.servers import HOST, ValkeyServer, free_port
from tests.support.strong_secrets import VERIFY_TOKEN, WEBHOOK_SECRET

RETRY_GAP_S = 30
HIGH_LIMIT = 1_000_000
NO_LIMITS = Limits(
    quarter=HIGH_LIMIT, read_quarter=HIGH_LIMIT, day=HIGH_LIMIT, read_day=HIGH_LIMIT
)


@dataclass(frozen=True)
class ClubSize:
    """How big the story is; the limits are small for so many runners."""

    runners: int = 200
    workers: int = 4

    @property
    def limits(self) -> Limits:
        reads = max(30, self.runners * 3 // 10)
        return replace(NO_LIMITS, quarter=2 * reads, read_quarter=reads)


@dataclass(frozen=True)
class ClubInstallation:
    """Everything that runs, by name, and the stage on which we see its tables."""

    clocks: FaketimeClocks
    harness: Harness
    redis: ValkeyServer
    postgres: PostgresServer
    post: StoppableMailServer
    web: KillableProcess
    workers: list[KillableProcess]
    beat: KillableProcess
    broker: Celery
    environment: dict[str, str]

    def start(self) -> None:
        """Start our services and have them told of events."""
        for service in self.services:
            service.start()
        settings = self.harness.runtime.settings
        wait_for_page(f"{settings.public_url}/readyz")
        run_once(["strava", "subscribe"], self.environment)

    @property
    def services(self) -> list[KillableProcess]:
        return [self.web, *self.workers, self.beat]

    def keep_running(self) -> None:
        for service in self.services:
            service.keep_running()

    def wake_all_queues(self) -> None:
        """Do what the schedule does each minute: a beat that sleeps sees no jump."""
        try:
            self.broker.send_task("sweep", ignore_result=True, retry=False)
        except (OperationalError, RedisError, OSError):
            return  # Redis is away: so would the schedule's message be


@contextmanager
def open_installation(size: ClubSize) -> Generator[ClubInstallation]:
    """Start all but our own services; nothing is left of it afterwards."""
    folder = Path(mkdtemp(prefix="moodmiles-chaos-"))
    folder.chmod(0o755)  # PostgreSQL's own user reads its clock there
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield _start(stack, folder, size)


def _start(stack: ExitStack, folder: Path, size: ClubSize) -> ClubInstallation:
    clocks = FaketimeClocks(folder)
    plain = {k: v for k, v in os.environ.items() if not k.startswith("MOODMILES_")}
    redis = ValkeyServer(clocks.environment("redis", plain))
    redis.start()
    stack.callback(redis.stop)
    postgres = _postgres(stack, folder, clocks, plain)
    world, strava_url = _strava(stack, clocks)
    post = StoppableMailServer()
    post.open()
    stack.callback(post.close)

    settings = _settings(folder, postgres, redis, post, strava_url)
    migrate(settings.sql_url)
    environment = plain | _to_environment(settings)
    parts = ["web", *(["worker"] * size.workers), "beat"]
    services = []
    for number, part in enumerate(parts):
        name = f"{part}{number}"
        own = clocks.environment(name, environment)
        services.append(KillableProcess(part, folder / f"{name}.log", own))
        stack.callback(services[-1].stop)

    harness = Harness(world, _runtime(settings, clocks), clocks, RecordingQueue())
    stack.callback(harness.runtime.db.close)
    broker = stack.enter_context(Celery(broker=redis.url, set_as_current=False))
    broker.conf.broker_transport_options = BROKER_OPTIONS
    web, *workers, beat = services
    return ClubInstallation(
        clocks, harness, redis, postgres, post, web, workers, beat, broker, environment
    )


def _postgres(
    stack: ExitStack, folder: Path, clocks: FaketimeClocks, plain: dict[str, str]
) -> PostgresServer:
    home = folder / "postgres"
    home.mkdir()
    server = PostgresServer(home, free_port(), clocks.environment("postgres", plain))
    server.start()
    stack.callback(server.stop)
    return server


def _strava(stack: ExitStack, clocks: FaketimeClocks) -> tuple[World, str]:
    world = World(clock=clocks)
    stack.callback(world.close)
    with world.transaction():
        world.put_singleton(
            App(client_id="1", client_secret="simulated", athlete_limit=HIGH_LIMIT)
        )
        world.put_singleton(NO_LIMITS)
        world.put_singleton(DeliverySettings(retry_gap_s=RETRY_GAP_S))
    return world, stack.enter_context(serve_in_thread(world))


def _settings(
    folder: Path,
    postgres: PostgresServer,
    redis: ValkeyServer,
    post: StoppableMailServer,
    strava_url: str,
) -> Settings:
    port = free_port()
    return Settings.model_construct(
        data_dir=folder,
        database_url=postgres.url,
        redis_url=redis.url,
        public_url=f"http://{HOST}:{port}",
        port=port,
        secret_keys=[SecretStr(KEY)],
        strava_client_id=1,
        strava_client_secret=SecretStr("simulated"),
        strava_site_url=strava_url,
        strava_api_url=f"{strava_url}/api/v3",
        strava_verify_token=SecretStr(VERIFY_TOKEN),
        strava_webhook_secret=SecretStr(WEBHOOK_SECRET),
        smtp_url=SecretStr(post.url),
        mail_from="Moodmiles <moodmiles@example.org>",
        worker_processes=1,
    )


def _to_environment(settings: Settings) -> dict[str, str]:
    """Say to a process what these settings are."""
    environment = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        if isinstance(value, list):
            value = ",".join(secret.get_secret_value() for secret in value)
        elif isinstance(value, SecretStr):
            value = value.get_secret_value()
        environment[f"MOODMILES_{name.upper()}"] = str(value)
    return environment


def _runtime(settings: Settings, clocks: FaketimeClocks) -> Runtime:
    return Runtime(
        settings=settings,
        db=Database(open_engine(settings.sql_url), RecordingQueue()),
        queue=RecordingQueue(),
        strava=HttpStrava(settings, budget=Budget("", clock=clocks)),
        sealer=Sealer([KEY]),
        now=clocks,
    )


def wait_for_page(url: str, *, patience_s: float = 60) -> None:
    for _ in range(int(patience_s / 0.2)):
        try:
            if requests.get(url, timeout=2).ok:
                return
        except requests.RequestException:
            pass
        sleep(0.2)
    raise AssertionError(f"{url} did not come up")
