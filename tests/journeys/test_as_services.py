"""The whole loop as a club runs it: PostgreSQL, Redis, two workers, real SMTP."""

import os
import re
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import requests
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from typing_extensions import override

from sync.simulator.export import read_export
from sync.simulator.seed import HOME_ZONE, SAM_ID, populate_world
from sync.simulator.serving import serve_in_thread
from sync.simulator.world import World
from tests.support.live_instance import wait_for
from tests.support.paths import DATA
from tests.support.postgres import provide_postgres
from tests.support.servers import HOST, TIMEOUT_S, free_port, run_valkey
from tests.support.strong_secrets import VERIFY_TOKEN, WEBHOOK_SECRET

pytestmark = pytest.mark.processes

EXPORT = DATA / "activities-small.csv"
TOKEN = re.compile(rb"(http://[^\s\"]+/(?:s|email/confirm)/[\w-]+)")


class MailCollector(MessageHandler):
    """Keeps what a real SMTP conversation delivered."""

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()
        self.emails: list[bytes] = []

    @override
    def prepare_message(self, session: Any, envelope: Any) -> Message:
        self.emails.append(bytes(envelope.content))
        message: Message = super().prepare_message(session, envelope)
        return message

    @override
    def handle_message(self, message: Message) -> None:
        """Do nothing more: the bytes are stored."""

    def find_link(self, path: str) -> str | None:
        for content in self.emails:
            body = message_from_bytes(content, policy=default).get_body(("plain",))
            text = body.get_content().encode() if body is not None else b""
            for token in TOKEN.findall(text):
                if f"/{path}/".encode() in token:
                    return str(token.decode())
        return None


@dataclass(frozen=True, slots=True)
class SimulatedStrava:
    """A simulator's state, and the address at which it is served."""

    world: World
    url: str


@pytest.fixture
def mail_collector() -> Iterator[MailCollector]:
    collector = MailCollector()
    controller = Controller(
        collector, hostname=HOST, port=collector.port, ready_timeout=TIMEOUT_S
    )
    controller.start()
    yield collector
    controller.stop()


@pytest.fixture
def strava() -> Iterator[SimulatedStrava]:
    world = World()
    exported = read_export(EXPORT, athlete_id=SAM_ID, zone=HOME_ZONE)
    with world.transaction():
        populate_world(world, seed_number=1, exported_activities=exported)
    with serve_in_thread(world) as url:
        yield SimulatedStrava(world, url)
    world.close()


@pytest.fixture
def club_url(
    mail_collector: MailCollector, strava: SimulatedStrava, tmp_path: Path
) -> Iterator[str]:
    """Start web, two workers and the schedule as services of their own."""
    port = free_port()
    url = f"http://{HOST}:{port}"
    with ExitStack() as stack:
        environment = {
            "DATABASE_URL": stack.enter_context(provide_postgres()),
            "REDIS_URL": stack.enter_context(run_valkey()).url,
            "SMTP_URL": f"smtp://{HOST}:{mail_collector.port}",
            "MAIL_FROM": "Moodmiles <moodmiles@example.org>",
            "PUBLIC_URL": url,
            "PORT": str(port),
            "DATA_DIR": str(tmp_path),
            "SECRET_KEYS": "a key for the club that is long enough",
            "STRAVA_CLIENT_ID": "1",
            "STRAVA_CLIENT_SECRET": "simulated",
            "STRAVA_SITE_URL": strava.url,
            "STRAVA_API_URL": f"{strava.url}/api/v3",
            "STRAVA_VERIFY_TOKEN": VERIFY_TOKEN,
            "STRAVA_WEBHOOK_SECRET": WEBHOOK_SECRET,
        }
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("MOODMILES_")},
            **{f"MOODMILES_{name}": value for name, value in environment.items()},
        }
        run_once(("db", "upgrade"), environment)
        for number, part in enumerate(("web", "worker", "worker", "beat")):
            log = tmp_path / f"{part}{number}.log"
            stack.enter_context(service(part, environment, log))
        wait_for(lambda: answers(f"{url}/readyz"))
        run_once(("strava", "subscribe"), environment)
        yield url


def run_once(arguments: Sequence[str], environment: dict[str, str]) -> None:
    completed = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "host.cli", *arguments],
        cwd=environment["MOODMILES_DATA_DIR"],  # where no `.env` lies
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr


@contextmanager
def service(part: str, environment: dict[str, str], log: Path) -> Generator[None]:
    with log.open("w") as out:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "host.cli", part],
            cwd=log.parent,  # where no `.env` lies
            env=environment,
            stdout=out,
            stderr=out,
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(TIMEOUT_S)
            finally:
                process.kill()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


def test_a_club_runner_links_runs_and_answers(
    club_url: str, mail_collector: MailCollector, strava: SimulatedStrava
) -> None:
    runner = requests.Session()

    link(runner, club_url)
    confirm(runner, club_url, mail_collector)
    wait_for(lambda: len(rows(runner, f"{club_url}/dashboard/runs.csv")) == 3)
    finish_run(strava.url)
    survey = wait_for(lambda: mail_collector.find_link("s"))
    saved = requests.post(survey, data={"mood": "4"}, timeout=TIMEOUT_S)

    assert saved.ok
    [answer] = rows(runner, f"{club_url}/dashboard/answers.csv")
    assert "Good" in answer
    assert len(rows(runner, f"{club_url}/dashboard/runs.csv")) == 4
    subscription = strava.world.subscription
    assert subscription is not None
    assert subscription.callback_url.startswith(club_url)


def link(runner: requests.Session, club_url: str) -> None:
    page = runner.get(f"{club_url}/connect", timeout=TIMEOUT_S).text
    consents = dict.fromkeys(("strava", "mood", "mail", "adult"), "1")
    consent = runner.post(
        f"{club_url}/connect",
        data=consents | {"csrf": read_csrf_token(page)},
        timeout=TIMEOUT_S,
    )
    back = runner.post(
        consent.url,
        data={
            "athlete": str(SAM_ID),
            "scope": ["read", "activity:read"],
            "decision": "authorize",
        },
        timeout=TIMEOUT_S,
    )
    assert back.ok, back.text


def confirm(
    runner: requests.Session, club_url: str, mail_collector: MailCollector
) -> None:
    page = runner.get(f"{club_url}/email", timeout=TIMEOUT_S).text
    response = runner.post(
        f"{club_url}/email",
        data={"email": "sam@example.org", "csrf": read_csrf_token(page)},
        timeout=TIMEOUT_S,
    )
    assert response.ok
    address = wait_for(lambda: mail_collector.find_link("email/confirm"))
    page = runner.get(address, timeout=TIMEOUT_S).text
    assert runner.post(
        address, data={"csrf": read_csrf_token(page)}, timeout=TIMEOUT_S
    ).ok


def finish_run(strava_url: str) -> None:
    finished = requests.post(
        f"{strava_url}/control/athletes/{SAM_ID}/runs",
        json={"zone": "daytime", "distance_m": 8200, "moving_s": 2800},
        timeout=TIMEOUT_S,
    )
    assert finished.status_code == 201


def rows(runner: requests.Session, url: str) -> list[str]:
    return runner.get(url, timeout=TIMEOUT_S).text.strip().splitlines()[1:]


def read_csrf_token(page: str) -> str:
    match = re.search(r'name="csrf" value="([^"]+)"', page)
    assert match is not None
    return match.group(1)
