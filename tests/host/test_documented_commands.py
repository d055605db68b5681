"""The commands that the documents name are run as they stand there."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.support.paths import ROOT
from tests.support.servers import HOST, TIMEOUT_S, free_port

pytestmark = pytest.mark.processes

DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
EXPORT = ROOT / "tests" / "data" / "activities-small.csv"
FENCED = re.compile(r"```sh\n(.*?)```", re.DOTALL)
OURS = re.compile(r"`(moodmiles(?: [a-z]+)*)`")
TARGETS = re.compile(r"(?:`|entry: )make ([a-z-]+)")


def fenced_commands() -> set[str]:
    return {
        line.strip()
        for document in DOCUMENTS
        for block in FENCED.findall(document.read_text())
        for line in block.splitlines()
        if line.strip()
    }


def named_commands() -> list[str]:
    texts = [document.read_text() for document in DOCUMENTS]
    return sorted({name for text in texts for name in OURS.findall(text)})


def test_only_commands_that_are_tested_here_are_shown() -> None:
    # pytest itself is what `make test` and `make quick` run; the others are run
    # below and in `test_contributing.py`.
    known = {
        "make demo",
        "make demo EXPORT=path/to/activities.csv",
        "make test",
        "make quick",
        ".venv/bin/python -m pytest tests/sync/mail/test_quiet_hours.py",
    }
    modules = {
        command
        for command in fenced_commands()
        if command.removeprefix(".venv/bin/").startswith("python -m tests.")
    }

    assert fenced_commands() - modules == known
    for command in modules:
        module = command.split()[2].replace(".", "/")
        assert (ROOT / f"{module}.py").is_file()


@pytest.mark.parametrize("name", named_commands())
def test_every_command_of_ours_exists(name: str) -> None:
    arguments = name.split()[1:]

    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "host.cli", *arguments, "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def named_targets() -> list[str]:
    texts = [document.read_text() for document in DOCUMENTS]
    texts.append((ROOT / ".pre-commit-config.yaml").read_text())
    return sorted({target for text in texts for target in TARGETS.findall(text)})


@pytest.mark.parametrize("target", named_targets())
def test_every_make_target_that_is_named_exists(target: str) -> None:
    done = subprocess.run(  # noqa: S603
        ["make", "-n", target, "NAME=x"],  # noqa: S607
        capture_output=True,
        cwd=ROOT,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def outside_make() -> dict[str, str]:
    """Return the environment as a newcomer's shell has it, not as `make test` does."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MAKE", "MFLAGS", "MOODMILES_"))
    }


def test_make_demo_with_an_export_brings_up_the_pages(tmp_path: Path) -> None:
    port = free_port()
    arguments = [f"EXPORT={EXPORT}", f"PORT={port}", f"DATA_DIR={tmp_path / 'data'}"]

    with subprocess.Popen(  # noqa: S603
        ["make", "demo", *arguments],  # noqa: S607
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=outside_make(),
        start_new_session=True,
    ) as make:
        assert make.stdout is not None
        ready_line = next((line for line in make.stdout if "http://" in line), "")
        page = requests.get(f"http://{HOST}:{port}/", timeout=TIMEOUT_S)
        os.killpg(make.pid, signal.SIGINT)

    assert f"http://{HOST}:{port}" in ready_line
    assert page.ok
    assert "How much running feels good to you?" in page.text
