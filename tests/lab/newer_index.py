"""Install both locks from an index that has a newer version of everything.

    python -m tests.lab.newer_index

The index stands on the loopback. It holds the locked wheels, and beside each a
version 9999 that is empty. An install that asks what is newest gets those, or
stops; ours must get what is locked, to the last version. The same index is shown
to an install that follows requirements, to see that the trial can fail.
"""

import json
import sys
import tempfile
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.lab.index import PackageIndex, serve, write_wheel
from tests.lab.locks import (
    DEBIAN_12_PIP,
    DEVELOPMENT,
    GROUP,
    parse_lock,
    print_report,
    run,
    this_environment,
)
from tests.support.paths import ROOT

NEWER = "9999"
# What comes with an empty environment, and this project itself.
UNLOCKED = {"pip", "setuptools", "moodmiles"}


def fill_index(folder: Path) -> None:
    """Put the locked wheels into a folder, and a newer version beside each."""
    completed = run(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
        *("--require-hashes", "--only-binary=:all:"),
        *("--requirement", DEVELOPMENT, "--dest", folder),
    )
    if completed.returncode:
        sys.exit(completed.stderr)
    for pin in parse_lock(DEVELOPMENT.read_text()):
        write_wheel(folder, pin.name, NEWER)


def create_empty_environment(folder: Path, pip: str) -> Path:
    """Make an environment with one pip, from the real index."""
    venv = folder / "venv"
    for command in (
        (sys.executable, "-m", "venv", "--clear", venv),
        (venv / "bin" / "python", "-m", "pip", "install", "--upgrade", pip),
    ):
        completed = run(*command)
        if completed.returncode:
            sys.exit(completed.stderr)
    return venv


def list_installed(venv: Path) -> dict[str, Version]:
    """Return each installed distribution's version."""
    completed = run(venv / "bin" / "python", "-m", "pip", "list", "--format=json")
    return {
        canonicalize_name(package["name"]): Version(package["version"])
        for package in json.loads(completed.stdout)
    }


def run_our_install(index: PackageIndex, lock: Path, venv: Path) -> list[str]:
    """Install a lock as make does; return what differs from it."""
    completed = run(ROOT / ".ci" / "install", lock.name, venv, **index.variables())
    if completed.returncode:
        return [completed.stderr.strip()]
    environment = this_environment()
    locked: dict[str, Version] = {
        pin.name: pin.version
        for pin in parse_lock(lock.read_text())
        if environment.admits(pin.marker)
    }
    installed_pins = list_installed(venv)
    return [
        f"{name}: locked {locked.get(name)}, installed {installed_pins.get(name)}"
        for name in sorted(locked | installed_pins)
        if name in locked or name not in UNLOCKED
        if installed_pins.get(name) != locked.get(name)
    ]


def run_following_install(index: PackageIndex, lock: Path, venv: Path) -> str:
    """Install a lock, but follow requirements; return pip's last words."""
    completed = run(
        *(venv / "bin" / "python", "-m", "pip", "install", "--quiet"),
        *("--require-hashes", "--requirement", lock),
        **index.variables(),
    )
    return completed.stderr.strip().replace("\n", " ") if completed.returncode else ""


def main() -> int:
    """Try both locks with both pips; say each trial in one line."""
    fine = []
    with tempfile.TemporaryDirectory() as folder:
        wheels = Path(folder) / "wheels"
        wheels.mkdir()
        fill_index(wheels)
        with serve(wheels) as index:
            for pip in (DEBIAN_12_PIP, "pip"):
                for lock in GROUP:
                    venv = create_empty_environment(Path(folder), pip)
                    title = f"{lock.name} by {pip}, everything newer on the index"
                    fine.append(print_report(title, run_our_install(index, lock, venv)))
            venv = create_empty_environment(Path(folder), DEBIAN_12_PIP)
            output = run_following_install(index, DEVELOPMENT, venv)
            fine.append(
                print_report(
                    "an install that follows requirements stops on this index",
                    [] if output else ["it did not: the trial shows nothing"],
                )
            )
            print(f"  it said: {output}")
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
