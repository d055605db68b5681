"""The install says in one sentence what stops it, and the next try finishes it.

A checkout of its own, in a path with a space and an umlaut, has our Makefile and
our script, and a lock of two tiny wheels that an index on the loopback serves.
"""

import getpass
import os
import shutil
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.index import Index, lock_line, serve, write_wheel
from tests.support.paths import ROOT

pytestmark = pytest.mark.processes

TOOLS = [
    "awk",
    "cat",
    "cp",
    "grep",
    "head",
    "id",
    "ls",
    "make",
    "rm",
    "sed",
    "sh",
    "tail",
    "touch",
]
PYPROJECT = """
[project]
name = "tiny"
version = "1"

[build-system]
requires = ["tiny-backend"]
build-backend = "tiny_backend"
"""
BACKEND = """
import shutil

def build_editable(folder, config_settings=None, metadata_directory=None):
    return shutil.copy("tiny-1-py3-none-any.whl", folder).rpartition("/")[2]
"""


@dataclass(frozen=True)
class Outcome:
    """How a call of make ended."""

    code: int
    said: str

    @property
    def sentence(self) -> str:
        """The last line that is not make's own."""
        lines = [
            one for one in self.said.splitlines() if not one.startswith("make: ***")
        ]
        return lines[-1]

    @property
    def lines(self) -> int:
        """How many lines a person has to read: ours, and make's last."""
        return len(self.said.splitlines())


@dataclass(frozen=True)
class Checkout:
    """A clone of a tiny project that is installed as ours is."""

    folder: Path
    index: Index

    @property
    def stamp(self) -> Path:
        return self.folder / ".venv" / ".run"

    @property
    def packages(self) -> Path:
        [found] = (self.folder / ".venv" / "lib").glob("python*/site-packages")
        return found

    def has(self, module: str) -> bool:
        return (self.packages / f"{module}.py").is_file()

    def lock(self, *wheels: Path) -> None:
        text = "".join(lock_line(wheel) for wheel in wheels)
        for name in ("requirements.lock", "requirements-dev.lock"):
            (self.folder / name).write_text(text)

    def install(
        self,
        *before: str,
        user: int | None = None,
        variables: dict[str, str] | None = None,
    ) -> Outcome:
        """Call make as a newcomer does."""
        environment = {"HOME": str(self.folder.parent), "LANG": "C.UTF-8"}
        environment |= {"PATH": os.environ["PATH"], "PIP_RETRIES": "0"}
        done = subprocess.run(  # noqa: S603
            [*before, "make", ".venv/.run"],
            cwd=self.folder,
            env=environment | self.index.variables() | (variables or {}),
            capture_output=True,
            text=True,
            user=user,
            check=False,
        )
        return Outcome(done.returncode, done.stderr)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one empty environment; each checkout begins with a copy."""
    venv = tmp_path_factory.mktemp("empty") / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)  # noqa: S603
    return venv


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with serve(wheels) as index:
        yield index


@pytest.fixture
def library(index: Index) -> Path:
    return write_wheel(index.folder, "tiny-library", "1", {"tiny_library.py": "x = 1"})


@pytest.fixture
def backend(index: Index) -> Path:
    files = {"tiny_backend.py": BACKEND}
    return write_wheel(index.folder, "tiny-backend", "1", files)


@pytest.fixture
def checkout(tmp_path: Path, index: Index, library: Path, backend: Path) -> Checkout:
    """Return a fresh clone: nothing is installed yet."""
    folder = tmp_path / "läuf er" / "moodmiles"
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    write_wheel(folder, "tiny", "1", {"tiny.py": ""}, requires=("tiny-library>=1",))
    clone = Checkout(folder, index)
    clone.lock(library, backend)
    return clone


@pytest.fixture
def begun(checkout: Checkout, environment: Path) -> Checkout:
    """Return a clone that has its environment, but no package in it."""
    shutil.copytree(environment, checkout.folder / ".venv", symlinks=True)
    return checkout


def test_a_path_with_a_space_and_an_umlaut_is_a_path_like_any(
    checkout: Checkout,
) -> None:
    done = checkout.install()

    assert done.code == 0, done.said
    assert checkout.stamp.is_file()
    assert checkout.has("tiny_library")
    assert done.lines == 1


def test_what_the_index_cannot_do_today_is_done_by_another_try(
    begun: Checkout, index: Index, library: Path, backend: Path
) -> None:
    index.is_unavailable = True
    refused = begun.install()
    index.is_unavailable, index.cut = False, {backend.name}
    cut = begun.install()
    assert not begun.stamp.exists()
    index.cut = set()
    index.served.clear()
    finished = begun.install()

    assert refused.code == cut.code == 2
    assert "cannot serve now" in refused.sentence
    assert "incomplete" in cut.sentence
    assert max(refused.lines, cut.lines) == 3
    assert finished.code == 0, finished.said
    assert begun.has("tiny_library")
    # What had arrived whole was kept.
    assert backend.name in index.served
    assert library.name not in index.served


def test_a_machine_without_a_wheel_is_sent_to_the_readme(
    begun: Checkout, library: Path, backend: Path
) -> None:
    backend.unlink()

    done = begun.install()

    assert done.code == 2
    assert "no wheel of tiny-backend==1 for Python 3." in done.sentence
    assert not begun.stamp.exists()


def test_no_network_is_said_in_one_sentence(begun: Checkout) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}/simple"
        done = begun.install(variables={"PIP_INDEX_URL": nowhere})

    assert done.code == 2
    assert "cannot be reached" in done.sentence
    assert done.lines == 3
    assert not begun.stamp.exists()


def test_an_environment_that_was_left_half_made_is_made_anew(begun: Checkout) -> None:
    # So does pip look that was killed between two files: the name, not the module.
    half = begun.packages / "tiny_library-1.dist-info"
    half.mkdir()
    (half / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: tiny-library\nVersion: 1\n"
    )
    (begun.folder / ".venv" / ".unfinished").touch()

    done = begun.install()

    assert done.code == 0, done.said
    assert begun.has("tiny_library")


def test_what_no_lock_names_any_more_is_gone(
    begun: Checkout, index: Index, library: Path, backend: Path
) -> None:
    dropped = write_wheel(index.folder, "tiny-plugin", "1", {"tiny_plugin.py": ""})
    begun.lock(library, backend, dropped)
    begun.install()
    assert begun.has("tiny_plugin")

    begun.lock(library, backend)
    done = begun.install()

    assert done.code == 0, done.said
    assert not begun.has("tiny_plugin")
    assert begun.has("tiny_library")


def test_a_package_of_another_lock_that_does_not_fit_is_no_obstacle(
    begun: Checkout, index: Index, library: Path, backend: Path
) -> None:
    begun.install()
    newer = write_wheel(index.folder, "tiny-library", "2", {"tiny_library.py": "x = 2"})
    tool = write_wheel(
        index.folder,
        "tiny-tool",
        "1",
        {"tiny_tool.py": ""},
        requires=("tiny-library<2",),
    )
    python = begun.folder / ".venv" / "bin" / "python"
    by_hand = [str(python), "-m", "pip", "install", "-q", "--no-deps", str(tool)]
    subprocess.run(by_hand, check=True)  # noqa: S603

    begun.lock(newer, backend)
    done = begun.install()

    assert done.code == 0, done.said
    assert begun.has("tiny_library")
    assert not begun.has("tiny_tool")


def test_a_lock_that_is_not_complete_is_never_taken_for_finished(
    begun: Checkout, backend: Path
) -> None:
    begun.lock(backend)

    done = begun.install()

    assert done.code == 2
    assert "requires tiny-library, which is not installed" in done.sentence
    assert not begun.stamp.exists()


def only_tools(folder: Path, python: str) -> dict[str, str]:
    """Return a PATH with make's tools and one Python, which is this script."""
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None, tool
        (folder / tool).symlink_to(found)
    script = folder / "python3"
    script.write_text(f"#!/bin/sh\n{textwrap.dedent(python)}")
    script.chmod(0o755)
    return {"PATH": str(folder)}


def test_an_old_python_is_named_with_what_is_needed(
    checkout: Checkout, tmp_path: Path
) -> None:
    old = """\
        [ "$1" = --version ] && echo Python 3.10.12 && exit 0
        exit 1
        """

    done = checkout.install(variables=only_tools(tmp_path / "bin", old))

    assert done.code == 2
    assert done.sentence.startswith("Python 3.11 or newer is needed")
    assert "Python 3.10.12" in done.sentence
    assert done.lines <= 3


def test_a_python_without_venv_is_told_where_to_get_it(
    checkout: Checkout, tmp_path: Path
) -> None:
    stripped = tmp_path / "stripped"
    stripped.mkdir()
    (stripped / "ensurepip.py").write_text("raise ImportError('Debian splits it off')")
    python = f'PYTHONPATH={stripped} exec {sys.executable} "$@"'

    done = checkout.install(variables=only_tools(tmp_path / "bin", python))

    assert done.code == 2
    assert "apt-get install python3-venv" in done.sentence
    assert done.lines <= 3


def test_a_checkout_of_somebody_else_is_left_alone(checkout: Checkout) -> None:
    checkout.folder.chmod(0o555)

    # Root may write anywhere, so that root's checkout is tried by nobody.
    done = checkout.install(user=65534 if os.geteuid() == 0 else None)
    checkout.folder.chmod(0o755)

    assert done.code == 2
    assert f"belongs to {getpass.getuser()}" in done.sentence
    assert "clone of your own" in done.sentence
    assert not (checkout.folder / ".venv").exists()


def test_a_full_disk_is_said_in_one_sentence(
    begun: Checkout, index: Index, library: Path, backend: Path
) -> None:
    large = write_wheel(
        index.folder, "tiny-data", "1", {"tiny_data.py": "#" * 60_000_000}
    )
    begun.lock(library, backend, large)
    venv = begun.folder / ".venv"
    small = """
        mv .venv full && mkdir .venv && mount -t tmpfs -o size=50M small .venv &&
        cp -a full/. .venv && rm -r full && shift && exec "$@"
        """

    done = begun.install(
        *("unshare", "--map-root-user", "--mount", "sh", "-c", small, "sh", "")
    )

    if "unshare" in done.said:
        pytest.skip("this machine lets nobody mount a small disk")
    assert done.code == 2
    assert done.sentence.startswith("The disk is full")
    assert str(venv) in done.sentence
    assert done.lines == 3
