"""A worker that could not ask its questions does not start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

BAD = 'id = "club-1"\nkind = "focus"\ntitle = "Ours"\n\n[[questions]\n'


def start_part(
    data_dir: Path, command: list[str]
) -> "subprocess.CompletedProcess[str]":
    """Run a process that has everything but good instruments, until it ends."""
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", *command],
        cwd=data_dir,  # where no `.env` lies
        env=os.environ
        | {
            "MOODMILES_DATA_DIR": str(data_dir),
            "MOODMILES_REDIS_URL": "redis://127.0.0.1:1",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def write_instrument(data_dir: Path, text: str) -> None:
    (data_dir / "instruments").mkdir()
    (data_dir / "instruments" / "club.toml").write_text(text)


def test_a_worker_refuses_a_bad_instrument_before_any_task(tmp_path: Path) -> None:
    write_instrument(tmp_path, BAD)

    ended = start_part(tmp_path, ["workers.worker"])

    assert ended.returncode == 1
    assert ended.stderr.startswith("The instrument club.toml, line 5: ")
    assert "Traceback" not in ended.stderr


def test_one_command_for_everything_refuses_it_too(tmp_path: Path) -> None:
    write_instrument(tmp_path, BAD)

    ended = start_part(tmp_path, ["host.cli", "up", "--port", "0"])

    assert ended.returncode == 1
    assert "The instrument club.toml, line 5: " in ended.stderr
    assert "ready" not in ended.stdout


def test_a_worker_listens_to_the_broker_of_our_settings(tmp_path: Path) -> None:
    """Celery believes the environment first, where another program's may stand."""
    names = ("CELERY_BROKER_URL", "CELERY_BROKER_READ_URL", "CELERY_BROKER_WRITE_URL")
    others = dict.fromkeys(names, "redis://another.invalid:6379/7")
    worker = subprocess.Popen(
        [sys.executable, "-m", "workers.worker", "--pool", "threads"],
        cwd=tmp_path,
        env=os.environ | others | {"MOODMILES_REDIS_URL": "redis://127.0.0.1:1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert worker.stderr is not None
    lines = []
    try:
        for line in worker.stderr:
            lines.append(line)
            if "Cannot connect to redis" in line:
                break
    finally:
        worker.kill()
        worker.wait()
        worker.stderr.close()

    assert "connecting to 127.0.0.1:1" in lines[-1]
    assert "another.invalid" not in "".join(lines)
