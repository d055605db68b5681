"""What is loaded for all parts of an instance is safe to fork, and not too much."""

import subprocess
import sys

import pytest

from host import preload
from tests.support.paths import ROOT

pytestmark = pytest.mark.processes

HEAVY = ("numpy", "pandas", "scipy", "statsmodels", "stravalib")
LOAD = """
import os, sys
before = len(os.listdir("/proc/self/fd"))
from host import preload
preload.preload_modules(preload.ALL_MODULES)
print(len(os.listdir("/proc/self/task")), "thread")
print(len(os.listdir("/proc/self/fd")) - before, "files")
print(*sys.modules)
"""


def list_loaded_modules() -> tuple[str, str, list[str]]:
    """Load everything in a process of its own; say what that did to it."""
    output = subprocess.run(  # noqa: S603
        [sys.executable, "-c", LOAD],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    threads, files, modules = output.stdout.splitlines()
    return threads, files, modules.split()


def test_a_fork_finds_nothing_half_done() -> None:
    threads, files, _ = list_loaded_modules()

    assert (threads, files) == ("1 thread", "0 files")


def test_only_what_idle_parts_need_is_there() -> None:
    _, _, modules = list_loaded_modules()

    assert set(preload.ALL_MODULES) <= set(modules)
    assert not [name for name in HEAVY if name in modules]
