"""The stand-ins and the plan: what is missing is made up, what is given is kept."""

import smtplib
import subprocess
import sys
from mailbox import Maildir
from pathlib import Path

import pytest

from host import redis_server, serve
from host.data_dir import lock_data_directory
from host.errors import StartupError
from host.options import InstanceOptions
from host.plan import InstancePlan
from host.process_commands import web_argv
from sync.broker_faults import BrokerFailed
from sync.queue import CeleryQueue
from sync.settings import Settings
from tests.support.paths import ROOT
from tests.support.servers import HOST, TIMEOUT_S, free_port, wait_until

NOTHING = frozenset[str]()
EVERYTHING = frozenset(Settings.model_fields)


def takes_wake_ups(url: str) -> bool:
    try:
        CeleryQueue(url).check()
    except BrokerFailed:
        return False
    return True


def build_plan(
    folder: Path,
    *,
    host: str = HOST,
    configured: frozenset[str],
    redis_password: str = "",
) -> InstancePlan:
    options = InstanceOptions(
        data_dir=folder,
        host=host,
        port=8000,
        public_url="https://run.example",
        web_processes=1,
        configured=configured,
        redis_password=redis_password,
    )
    with lock_data_directory(folder / "data") as home:
        return InstancePlan(options, home, port=8000)


def test_everything_missing_has_a_stand_in(folder: Path) -> None:
    plan = build_plan(folder, configured=NOTHING)

    assert plan.has_own_redis
    assert plan.has_own_mailbox
    assert plan.has_simulator
    assert plan.address == f"http://{HOST}:8000"
    assert plan.build_environment()["MOODMILES_STRAVA_SITE_URL"].startswith(
        f"http://{HOST}"
    )


def test_nothing_given_is_replaced(folder: Path) -> None:
    plan = build_plan(folder, configured=EVERYTHING)

    assert plan.generated_settings.keys() == {
        "MOODMILES_DATA_DIR",
        "MOODMILES_HOST",
        "MOODMILES_PORT",
    }
    assert plan.address == "https://run.example"


@pytest.mark.processes
@pytest.mark.parametrize("password", ["a 'b\" $c \\d %2F:@/#?&; ä€ =`e`", "x" * 40])
def test_a_given_password_is_that_of_our_own_redis(folder: Path, password: str) -> None:
    plan = build_plan(folder, configured=NOTHING, redis_password=password)
    environment = {
        "redis_url": plan.build_environment()["MOODMILES_REDIS_URL"],
        "redis_password": password,
    }
    command = plan.redis_part().command
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        # The settings refuse an address with another password.
        url = Settings.model_validate(environment).redis_url
        wait_until(lambda: takes_wake_ups(url))
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("host", "address"),
    [("0.0.0.0", f"http://{HOST}:8000"), ("::1", "http://[::1]:8000")],  # noqa: S104
)
def test_the_address_is_one_that_can_be_opened(
    host: str, address: str, folder: Path
) -> None:
    assert build_plan(folder, host=host, configured=NOTHING).address == address


@pytest.mark.parametrize(
    ("host", "shown"),
    [(HOST, True), ("localhost", True), ("0.0.0.0", False)],  # noqa: S104
)
def test_the_mailbox_is_shown_on_this_machine_only(
    host: str, shown: bool, folder: Path
) -> None:
    plan = build_plan(folder, host=host, configured=NOTHING).generated_settings

    assert ("MOODMILES_MAILBOX_DIR" in plan) is shown


def test_a_stand_in_is_told_no_secret(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOODMILES_SECRET_KEYS", "x")

    environment = build_plan(folder, configured=NOTHING).mailbox_part().environment

    assert not [name for name in environment if name.startswith("MOODMILES_")]


@pytest.mark.processes
def test_no_part_is_told_a_secret_where_everybody_may_read_it(folder: Path) -> None:
    plan = build_plan(folder, configured=NOTHING)
    parts = [
        *(plan.redis_part(), plan.mailbox_part(), plan.simulator_part()),
        *(plan.web_part(), plan.worker_part(), plan.module_part("host.seeding")),
        plan.command_part("strava", "subscribe"),
    ]

    secrets = plan.secrets
    words = " ".join(str(word) for part in parts for word in part.command)
    assert [name for name, secret in secrets.items() if secret in words] == []
    # The stand-in for Strava knows its own secret, and no other.
    told = " ".join(plan.simulator_part().environment.values())
    assert [name for name, secret in secrets.items() if secret in told] == [
        "strava_client_secret"
    ]


@pytest.mark.processes
def test_the_mailbox_keeps_what_it_is_sent(folder: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "host.mailbox", "--port", str(port)]
    server = subprocess.Popen(  # noqa: S603
        [*command, "--dir", str(folder / "mailbox")], cwd=ROOT
    )
    wait_until(lambda: _send_greeting(port))

    with smtplib.SMTP(HOST, port, local_hostname="test") as line:
        line.sendmail("us@example.org", ["robin@example.org"], "Subject: Hi\n\nThere")
    server.terminate()
    code = server.wait(TIMEOUT_S)

    [plan] = Maildir(folder / "mailbox")
    assert code == 0
    assert (plan["X-RcptTo"], plan["Subject"]) == ("robin@example.org", "Hi")
    assert plan.as_string().rstrip().endswith("There")


def _send_greeting(port: int) -> bool:
    try:
        with smtplib.SMTP(HOST, port, local_hostname="test"):
            return True
    except OSError:
        return False


def write_server(folder: Path, version: str) -> None:
    """Put a Redis of some version on PATH."""
    file = folder / "redis-server"
    file.write_text(f"#!/bin/sh\necho '{version}'\n")
    file.chmod(0o700)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("version", "is_taken"),
    [
        ("Redis server v=7.0.15 sha=00000000:0", True),
        ("Redis server v=6.0.16 sha=00000000:0", False),
        ("something else", False),
        ("' ; exit 1 ; '", False),
    ],
)
@pytest.mark.processes
def test_the_machines_own_redis_is_taken_if_it_is_new_enough(
    version: str, is_taken: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_server(folder, version)
    monkeypatch.setenv("PATH", str(folder))

    server = redis_server.find_server()

    assert (server == folder / "redis-server") is is_taken


def test_no_redis_at_all_is_said(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(redis_server, "find_spec", lambda _: None)

    with pytest.raises(StartupError, match="install redis-server"):
        redis_server.find_server()


def test_each_part_has_its_words(folder: Path) -> None:
    settings = Settings.model_construct(data_dir=folder)

    words = {
        part: serve.build_argv(settings, part) for part in ("web", "worker", "beat")
    }

    assert words["web"] == web_argv(HOST, 8000, 1)
    assert words["worker"][-4:] == ["--pool", "prefork", "--concurrency", "2"]
    assert words["beat"] == ["workers.beat", "--log-format", "text"]
