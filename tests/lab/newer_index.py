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

from tests.lab.index import Index, serve, write_wheel
from tests.lab.locks import (
    DEBIAN_12_PIP,
    DEVELOPMENT,
    GROUP,
    parse_lock,
    report,
    run,
    this_environment,
)
from tests.support.paths import ROOT

NEWER = "9999"
# What comes with an empty environment, and this project itself.
UNLOCKED = {"pip", "setuptools", "moodmiles"}


def fill(folder: Path) -> None:
    """Put the locked wheels into a folder, and a newer version beside each."""
    done = run(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
        *("--require-hashes", "--only-binary=:all:"),
        *("--requirement", DEVELOPMENT, "--dest", folder),
    )
    if done.returncode:
        sys.exit(done.stderr)
    for pin in parse_lock(DEVELOPMENT.read_text()):
        write_wheel(folder, pin.name, NEWER)


def empty_environment(folder: Path, pip: str) -> Path:
    """Make an environment with one pip, from the real index."""
    venv = folder / "venv"
    for command in (
        (sys.executable, "-m", "venv", "--clear", venv),
        (venv / "bin" / "python", "-m", "pip", "install", "--upgrade", pip),
    ):
        done = run(*command)
        if done.returncode:
            sys.exit(done.stderr)
    return venv


def installed(venv: Path) -> dict[str, Version]:
    """Return each installed distribution's version."""
    done = run(venv / "bin" / "python", "-m", "pip", "list", "--format=json")
    return {
        canonicalize_name(one["name"]): Version(one["version"])
        for one in json.loads(done.stdout)
    }


def our_install(index: Index, lock: Path, venv: Path) -> list[str]:
    """Install a lock as make does; return what differs from it."""
    done = run(ROOT / ".ci" / "install", lock.name, venv, **index.variables())
    if done.returncode:
        return [done.stderr.strip()]
    here = this_environment()
    locked: dict[str, Version] = {
        pin.name: pin.version
        for pin in parse_lock(lock.read_text())
        if here.admits(pin.marker)
    }
    found = installed(venv)
    return [
        f"{name}: locked {locked.get(name)}, installed {found.get(name)}"
        for name in sorted(locked | found)
        if name in locked or name not in UNLOCKED
        if found.get(name) != locked.get(name)
    ]


def following_install(index: Index, lock: Path, venv: Path) -> str:
    """Install a lock, but follow requirements; return pip's last words."""
    done = run(
        *(venv / "bin" / "python", "-m", "pip", "install", "--quiet"),
        *("--require-hashes", "--requirement", lock),
        **index.variables(),
    )
    return done.stderr.strip().replace("\n", " ") if done.returncode else ""


def main() -> int:
    """Try both locks with both pips; say each trial in one line."""
    fine = []
    with tempfile.TemporaryDirectory() as folder:
        wheels = Path(folder) / "wheels"
        wheels.mkdir()
        fill(wheels)
        with serve(wheels) as index:
            for pip in (DEBIAN_12_PIP, "pip"):
                for lock in GROUP:
                    venv = empty_environment(Path(folder), pip)
                    title = f"{lock.name} by {pip}, everything newer on the index"
                    fine.append(report(title, our_install(index, lock, venv)))
            venv = empty_environment(Path(folder), DEBIAN_12_PIP)
            said = following_install(index, DEVELOPMENT, venv)
            fine.append(
                report(
                    "an install that follows requirements stops on this index",
                    [] if said else ["it did not: the trial shows nothing"],
                )
            )
            print(f"  it said: {said}")
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
