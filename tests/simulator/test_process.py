"""The simulator as a process: it starts, survives a kill, and leaves when told."""

import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.servers import free_port

EXPORT = Path(__file__).parents[1] / "data" / "activities-small.csv"
COMMAND = [sys.executable, "-m", "sync.simulator"]


@contextmanager
def simulator(*words: object) -> Generator[tuple[subprocess.Popen[str], str]]:
    command = [*COMMAND, "--port", "0", "--quiet", *map(str, words)]
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().split()[-1]
        finally:
            process.kill()


def state(url: str) -> dict[str, Any]:
    return dict(requests.get(f"{url}control/state", timeout=5).json())


def test_the_world_survives_a_kill(tmp_path: Path) -> None:
    kept = ("--state", tmp_path / "world.sqlite3")
    with simulator(*kept) as (process, url):
        path = f"{url}control/athletes/134815/runs"
        run = requests.post(path, json={}, timeout=5).json()["id"]
        process.kill()
        process.wait()

    with simulator(*kept) as (_, url):
        after = state(url)

    ids = [activity["id"] for activity in after["activities"]]
    assert run in ids
    assert len(ids) > 200
    assert [athlete["firstname"] for athlete in after["athletes"]] == ["Robin", "Alex"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_leaves_when_told(number: signal.Signals) -> None:
    with simulator() as (process, _):
        process.send_signal(number)

        assert process.wait(timeout=10) == 0


def test_an_export_becomes_sam_who_is_offered_first() -> None:
    request = {
        "client_id": "1",
        "redirect_uri": "http://localhost/back",
        "response_type": "code",
        "scope": "read",
    }
    with simulator("--export", EXPORT) as (_, url):
        page = requests.get(f"{url}oauth/authorize", params=request, timeout=5).text
        activities = state(url)["activities"]

    assert 0 < page.index("Sam") < page.index("Robin")
    assert len([one for one in activities if one["athlete"]["id"] == 100_001]) == 5


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["--export", "missing.csv"], 1, "missing.csv cannot be read: No such file"),
        (["--state", "/"], 1, "/ cannot hold the state"),
        (["--port", "70000"], 2, "must be a number from 0 to 65535"),
        (["--client-id", "me"], 2, "must be a number"),
    ],
)
def test_a_wrong_start_is_explained(
    words: list[str], status: int, sentence: str
) -> None:
    done = subprocess.run(  # noqa: S603
        [*COMMAND, *words], capture_output=True, text=True, check=False, timeout=30
    )

    assert done.returncode == status
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_explained() -> None:
    port = free_port()
    with simulator("--port", port):
        done = subprocess.run(  # noqa: S603
            [*COMMAND, "--port", str(port)],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    assert done.returncode == 1
    assert (
        done.stderr == f"127.0.0.1:{port} cannot be opened: Address already in use.\n"
    )
