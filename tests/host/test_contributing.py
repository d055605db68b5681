"""A newcomer who does what CONTRIBUTING.md says sees what it says."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

pytestmark = pytest.mark.processes

TEXT = (ROOT / "CONTRIBUTING.md").read_text()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy what the walk changes and what its tests import."""
    for name in ("sync", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def run_walkthrough_tests(checkout: Path) -> int:
    [line] = re.findall(r"^\s*\.venv/bin/python (-m pytest .*)$", TEXT, re.MULTILINE)
    return subprocess.run(  # noqa: S603
        [sys.executable, *shlex.split(line), "-p", "no:cacheprovider"],
        capture_output=True,
        cwd=checkout,
        check=False,
    ).returncode


def replace_once(file: Path, old: str, new: str) -> None:
    text, count = re.subn(old, new, file.read_text(), flags=re.MULTILINE)
    assert count == 1, f"{file.name} no longer holds what the walk changes"
    file.write_text(text)


def test_the_first_change_fails_a_test_and_its_second_half_mends_it(
    checkout: Path,
) -> None:
    [(rule, name, value)] = re.findall(
        r"In `(sync/\S+)`, .*: `(\w+)\b.* = (\S+)`", TEXT
    )
    [test] = re.findall(r"pytest (tests/\S+)", TEXT)
    assert "let `MORNING` be eight o'clock" in TEXT

    replace_once(checkout / rule, rf"^(\s*{name}\b.* = ).*$", rf"\g<1>{value}")
    after_the_first = run_walkthrough_tests(checkout)
    replace_once(checkout / test, r"^(MORNING = .*), 7, ", r"\1, 8, ")
    after_the_second = run_walkthrough_tests(checkout)

    assert after_the_first == pytest.ExitCode.TESTS_FAILED
    assert after_the_second == pytest.ExitCode.OK


def test_the_hooks_are_make_targets_that_the_hook_runner_understands() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    text = (ROOT / ".pre-commit-config.yaml").read_text()

    assert checked.returncode == 0, checked.stdout
    assert re.findall(r"entry: (.*)", text) == ["make check", "make quick"]
