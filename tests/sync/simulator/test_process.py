"""The simulator as a process: it starts, survives a kill, and leaves when told."""

import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from sync.simulator.__main__ import main
from tests.support.paths import DATA
from tests.support.servers import TIMEOUT_S

pytestmark = pytest.mark.processes

EXPORT = DATA / "activities-small.csv"
ENDINGS = (signal.SIGTERM, signal.SIGINT)
COMMAND = [sys.executable, "-m", "sync.simulator"]


@contextmanager
def run_simulator(*words: object) -> Generator[tuple[subprocess.Popen[str], str]]:
    command = [*COMMAND, "--port", "0", "--quiet", *map(str, words)]
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().split()[-1]
        finally:
            process.kill()


def read_state(url: str) -> dict[str, Any]:
    return dict(requests.get(f"{url}control/state", timeout=TIMEOUT_S).json())


def test_the_world_survives_a_kill(tmp_path: Path) -> None:
    kept = ("--state", tmp_path / "world.sqlite3")
    with run_simulator(*kept) as (process, url):
        path = f"{url}control/athletes/134815/runs"
        run = requests.post(path, json={}, timeout=TIMEOUT_S).json()["id"]
        process.kill()
        process.wait()

    with run_simulator(*kept) as (_, url):
        after = read_state(url)

    ids = [activity["id"] for activity in after["activities"]]
    assert run in ids
    assert len(ids) > 200
    assert [athlete["firstname"] for athlete in after["athletes"]] == ["Robin", "Alex"]


@pytest.mark.parametrize("number", ENDINGS)
def test_it_leaves_when_told(number: signal.Signals) -> None:
    with run_simulator() as (process, _):
        process.send_signal(number)

        assert process.wait(timeout=TIMEOUT_S) == 0


def test_an_export_becomes_sam_who_is_offered_first() -> None:
    request = {
        "client_id": "1",
        "redirect_uri": "http://localhost/back",
        "response_type": "code",
        "scope": "read",
    }
    with run_simulator("--export", EXPORT) as (_, url):
        page = requests.get(
            f"{url}oauth/authorize", params=request, timeout=TIMEOUT_S
        ).text
        activities = read_state(url)["activities"]

    assert 0 < page.index("Sam") < page.index("Robin")
    assert len([one for one in activities if one["athlete"]["id"] == 100_001]) == 5


@pytest.fixture
def restored_signals() -> Iterator[None]:
    """Give this process its own handlers back after a start inside it."""
    before = {number: signal.getsignal(number) for number in ENDINGS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("restored_signals")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--export", "missing.csv"], "missing.csv cannot be read: No such file"),
        (["--state", "/"], "/ cannot hold the state"),
        (["--host", "nowhere.invalid"], "nowhere.invalid:8400 cannot be opened: "),
    ],
)
def test_what_stands_in_the_way_of_a_start_is_said_in_one_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    status = main(words)

    said = capsys.readouterr().err
    assert status == 1
    assert said.startswith(sentence)
    assert said.count("\n") == 1


@pytest.mark.usefixtures("restored_signals")
def test_a_taken_port_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        status = main(["--port", str(port)])

    said = capsys.readouterr().err
    assert status == 1
    assert said == f"127.0.0.1:{port} cannot be opened: Address already in use.\n"


@pytest.mark.usefixtures("restored_signals")
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--port", "70000"], "must be a number from 0 to 65535"),
        (["--client-id", "me"], "must be a number"),
        (["--weather"], "unrecognized arguments: --weather"),
    ],
)
def test_wrong_use_is_explained(
    capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)

    assert left.value.code == 2
    assert sentence in capsys.readouterr().err
