"""The doctor, Redis and the workers: each fault is told apart, with its cure."""

import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from subprocess import DEVNULL, Popen
from threading import Event, Thread
from time import sleep
from typing import Any

import pytest
from kombu.connection import Connection
from kombu.entity import Queue
from kombu.messaging import Consumer
from redis import Redis, RedisError

from host.broker_check import SENTENCES
from host.doctor import run_checks
from sync import heartbeats
from sync.heartbeats import LIFETIME_S, Heartbeat
from sync.queue import PROBE_TASK
from sync.settings import Settings
from sync.vocabulary import BrokerFault
from tests.conftest import KEY
from tests.support.certificates import Authority
from tests.support.lying_servers import (
    Plant,
    Talk,
    fill_backlog,
    hang_up,
    plant_server,
    run_server,
    say,
    say_nothing,
)
from tests.support.servers import HOST, find_valkey, free_port, run_valkey, wait_until
from workers.app import celery, get_runtime


def get_advice(settings: Settings, url: str, check: str = "redis") -> str:
    [result] = run_checks(settings.model_copy(update={"redis_url": url}), [check])
    return str(result)


def configure(
    act: Callable[[Redis], object], *, login: str = "", end: str = "0"
) -> Plant:
    """Give a real Redis that was told something first."""

    @contextmanager
    def plant(_folder: Path) -> Generator[str]:
        with run_valkey() as server:
            with Redis.from_url(server.url) as redis:
                act(redis)
            yield server.url.replace("//", f"//{login}")[:-1] + end

    return plant


def serve(talk: Talk, *, scheme: str = "redis") -> Plant:
    return plant_server(talk, f"{scheme}://{{place}}/0")


def reply(text: str) -> Callable[[socket], None]:
    """Answer each command by the same line."""

    def talk(line: socket) -> None:
        while received := line.recv(65536):
            line.sendall(f"{text}\r\n".encode() * received.count(b"*"))

    return talk


def limit_user(redis: Redis) -> None:
    redis.acl_setuser(
        "ada",
        enabled=True,
        passwords=["+right"],
        keys=["*"],
        channels=["*"],
        categories=["+@all"],
        commands=["-lpush"],
    )


@contextmanager
def nowhere(_folder: Path) -> Generator[str]:
    yield f"redis://{HOST}:{free_port()}/0"


@contextmanager
def no_such_name(_folder: Path) -> Generator[str]:
    yield "redis://nowhere.invalid:6379/0"


@contextmanager
def no_number(_folder: Path) -> Generator[str]:
    with run_valkey() as server:
        yield server.url.replace("/0", "/moodmiles")


@contextmanager
def blocked(_folder: Path) -> Generator[str]:
    with fill_backlog() as port:
        yield f"redis://{HOST}:{port}/0"


@contextmanager
def unsaved(folder: Path) -> Generator[str]:
    """Give a Redis whose folder is gone, so that its last snapshot failed."""
    home, port = folder / "redis", free_port()
    home.mkdir()
    process = Popen(  # noqa: S603
        [find_valkey(), "--port", str(port), "--dir", str(home), "--save", "900 1"],
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    try:
        with Redis(HOST, port) as redis:

            def is_answering() -> bool:
                try:
                    return bool(redis.ping())
                except RedisError:
                    return False

            wait_until(is_answering)
            redis.set("a", 1)
            shutil.rmtree(home)
            redis.bgsave()
            wait_until(
                lambda: redis.info("persistence")["rdb_last_bgsave_status"] == "err"
            )
        yield f"redis://{HOST}:{port}/0"
    finally:
        process.kill()
        process.wait()


@contextmanager
def own_certificate(folder: Path) -> Generator[str]:
    tls = Authority(folder).build_server_tls("localhost")
    with run_server(say_nothing, tls=tls) as port:
        yield f"rediss://localhost:{port}/0?ssl_cert_reqs=required"


FAULTS: dict[str, tuple[Plant, str]] = {
    "refused": (nowhere, "which refuses the connection: start it"),
    "name": (no_such_name, "No machine is called nowhere.invalid: correct"),
    "no number": (no_number, "the number at its end being a database's"),
    "blocked": (blocked, "in time: a firewall may be in between"),
    "silent": (serve(say_nothing), "in time: a firewall may be in between"),
    "hung up": (serve(hang_up), "hangs up at once: if it is Redis with TLS, begin"),
    "web server": (serve(say("HTTP/1.1 400 no\r\n\r\n")), "is no Redis: correct host"),
    "mail server": (serve(say("220 hello\r\n")), "is no Redis: correct host and port"),
    "no TLS": (
        serve(say("220 hello\r\n"), scheme="rediss"),
        "agree on no TLS: begin MOODMILES_REDIS_URL with redis://",
    ),
    "certificate": (own_certificate, "is not trusted ("),
    "no password": (
        configure(lambda redis: redis.config_set("requirepass", "right")),
        "refuses the password in MOODMILES_REDIS_URL",
    ),
    "wrong password": (
        configure(
            lambda redis: redis.config_set("requirepass", "right"), login=":geheim@"
        ),
        "refuses the password in MOODMILES_REDIS_URL",
    ),
    "password too many": (
        configure(lambda _redis: None, login="ada:geheim@"),
        "refuses the password in MOODMILES_REDIS_URL",
    ),
    "database 99": (
        configure(lambda _redis: None, end="99"),
        "has no database of the number at the end of MOODMILES_REDIS_URL: end it in /0",
    ),
    "replica": (
        configure(lambda redis: redis.replicaof(HOST, free_port())),
        "answers and takes no writes (",
    ),
    "no replicas": (
        configure(lambda redis: redis.config_set("min-replicas-to-write", 1)),
        "it is a replica or has too few of them",
    ),
    "memory": (
        configure(lambda redis: redis.config_set("maxmemory", 1)),
        "as its memory is full: raise its maxmemory",
    ),
    "unsaved": (unsaved, "takes no writes, as it cannot save (MISCONF"),
    "permission": (
        configure(limit_user, login="ada:right@"),
        "may not do what a wake-up needs (",
    ),
    "loading": (
        serve(reply("-LOADING Redis is loading the dataset in memory")),
        "is still loading its files: wait a moment",
    ),
    "clients": (
        serve(reply("-ERR max number of clients reached")),
        "has as many clients as it may have: raise its maxclients",
    ),
    "protected": (
        serve(reply("-DENIED Redis is running in protected mode because no password")),
        "is in protected mode and answers its own machine alone",
    ),
    "cluster": (
        serve(reply("-MOVED 3999 127.0.0.1:6381")),
        "is a cluster, which wake-ups cannot go through",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_told_apart(
    settings: Settings, tmp_path: Path, name: str
) -> None:
    plant, sentence = FAULTS[name]
    with plant(tmp_path) as url:
        advice = get_advice(settings, url)

    assert advice.startswith("fix  redis ")
    assert sentence in advice
    assert advice.count("\n") == 0
    assert "geheim" not in advice


def test_a_redis_that_is_well_takes_a_wake_up_and_keeps_nothing_of_it(
    settings: Settings,
) -> None:
    with run_valkey() as server:
        advice = get_advice(settings, server.url)
        with Redis.from_url(server.url, decode_responses=True) as redis:
            keys = {str(key) for key in redis.scan_iter()}

    assert advice.startswith("ok   redis ")
    assert advice.endswith("takes wake-ups")
    assert not {key for key in keys if "check" in key}


def test_no_password_comes_back_with_the_servers_words(
    settings: Settings, tmp_path: Path
) -> None:
    """What does not know AUTH repeats what stands behind it."""
    unknown = reply("-ERR unknown command 'AUTH', with args beginning with: 'w/rd'")

    with serve(unknown)(tmp_path) as url:
        advice = get_advice(settings, url.replace("//", "//:w%2Frd@"))

    assert advice.startswith("fix  redis ")
    assert "beginning with" in advice
    assert "w/rd" not in advice


def test_a_redis_that_only_hides_its_version_is_a_warning(
    settings: Settings, tmp_path: Path
) -> None:
    def hide_version(redis: Redis) -> None:
        redis.acl_setuser(
            "ada",
            enabled=True,
            passwords=["+right"],
            keys=["*"],
            channels=["*"],
            categories=["+@all"],
            commands=["-info"],
        )

    with configure(hide_version, login="ada:right@")(tmp_path) as url:
        advice = get_advice(settings, url)

    assert advice.startswith("warn redis ")
    assert "allow INFO" in advice


def test_every_fault_has_its_own_sentence() -> None:
    assert SENTENCES.keys() == set(BrokerFault)
    assert len(set(SENTENCES.values())) == len(SENTENCES)


@pytest.fixture
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_PROBE_WAIT_S", "_TICK_WAIT_S"):
        monkeypatch.setattr(f"host.broker_check.{name}", 0.3)


def age(url: str, heartbeat: Heartbeat, minutes: int) -> None:
    """Let the last sign of life have been heard so long ago."""
    with Redis.from_url(url) as redis:
        redis.expire(f"moodmiles:alive:{heartbeat}", LIFETIME_S - minutes * 60)


@pytest.mark.usefixtures("short_wait")
def test_a_schedule_that_does_not_tick_is_told(settings: Settings) -> None:
    with run_valkey() as server:
        never = get_advice(settings, server.url, "schedule")
        heartbeats.record(server.url, Heartbeat.SCHEDULE)
        now = get_advice(settings, server.url, "schedule")
        age(server.url, Heartbeat.SCHEDULE, 10)
        late = get_advice(settings, server.url, "schedule")
    away = get_advice(settings, server.url, "schedule")

    assert never.startswith("fix  schedule      The schedule has not ticked at this")
    assert now == "ok   schedule      ticked 0 s ago"
    assert "The schedule last ticked 10 minutes ago, and should each minute" in late
    assert "start `moodmiles beat`" in late
    assert away.endswith("Not checked: see redis' line.")


@pytest.mark.usefixtures("short_wait")
def test_without_workers_nobody_takes_a_wake_up(settings: Settings) -> None:
    with run_valkey() as server:
        advice = get_advice(settings, server.url, "workers")
        heartbeats.record(server.url, Heartbeat.WORKERS)
        busy = get_advice(settings, server.url, "workers")
        age(server.url, Heartbeat.WORKERS, 10)
        dead = get_advice(settings, server.url, "workers")
    away = get_advice(settings, server.url, "workers")

    assert advice.startswith("fix  workers       No worker took a wake-up within")
    assert busy.startswith("ok   workers       are busy: the last took a wake-up 0 s")
    assert dead == advice
    assert away.endswith("Not checked: see redis' line.")


def test_a_worker_that_listens_takes_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task itself, on the message that a real worker would get."""
    with run_valkey() as server:
        monkeypatch.setenv("MOODMILES_REDIS_URL", server.url)
        monkeypatch.setenv("MOODMILES_SECRET_KEYS", KEY)
        get_runtime.cache_clear()
        ended = Event()

        def work() -> None:
            def take(_body: object, message: Any) -> None:
                task = celery.tasks[message.headers["task"]]
                task.apply(task_id=message.headers["id"]).get()
                message.ack()

            with (
                Connection(server.url) as connection,
                Consumer(connection, [Queue("celery")], callbacks=[take]),
            ):
                while not ended.is_set():
                    try:
                        connection.drain_events(timeout=0.1)
                    except TimeoutError:
                        sleep(0.01)

        celery.loader.import_default_modules()
        assert PROBE_TASK in celery.tasks
        worker = Thread(target=work)
        worker.start()
        try:
            advice = get_advice(settings, server.url, "workers")
        finally:
            ended.set()
            worker.join()
            get_runtime.cache_clear()

    assert advice == "ok   workers       took a wake-up at once"
