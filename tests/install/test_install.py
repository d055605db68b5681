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

from tests.lab.index import PackageIndex, lock_line, serve, write_wheel
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
class InstallResult:
    """How a call of make ended."""

    code: int
    output: str

    @property
    def error_sentence(self) -> str:
        """The last line that is not make's own."""
        lines = [
            line
            for line in self.output.splitlines()
            if not line.startswith("make: ***")
        ]
        return lines[-1]

    @property
    def lines(self) -> int:
        """How many lines a person has to read: ours, and make's last."""
        return len(self.output.splitlines())


@dataclass(frozen=True)
class InstallCheckout:
    """A clone of a tiny project that is installed as ours is."""

    folder: Path
    index: PackageIndex

    @property
    def stamp(self) -> Path:
        return self.folder / ".venv" / ".run"

    @property
    def packages(self) -> Path:
        [site_packages] = (self.folder / ".venv" / "lib").glob("python*/site-packages")
        return site_packages

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
    ) -> InstallResult:
        """Call make as a newcomer does."""
        environment = {"HOME": str(self.folder.parent), "LANG": "C.UTF-8"}
        environment |= {"PATH": os.environ["PATH"], "PIP_RETRIES": "0"}
        completed = subprocess.run(  # noqa: S603
            [*before, "make", ".venv/.run"],
            cwd=self.folder,
            env=environment | self.index.variables() | (variables or {}),
            capture_output=True,
            text=True,
            user=user,
            check=False,
        )
        return InstallResult(completed.returncode, completed.stderr)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one empty environment; each checkout begins with a copy."""
    venv = tmp_path_factory.mktemp("empty") / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)  # noqa: S603
    return venv


@pytest.fixture
def index(tmp_path: Path) -> Iterator[PackageIndex]:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with serve(wheels) as index:
        yield index


@pytest.fixture
def library(index: PackageIndex) -> Path:
    return write_wheel(index.folder, "tiny-library", "1", {"tiny_library.py": "x = 1"})


@pytest.fixture
def backend(index: PackageIndex) -> Path:
    files = {"tiny_backend.py": BACKEND}
    return write_wheel(index.folder, "tiny-backend", "1", files)


@pytest.fixture
def checkout(
    tmp_path: Path, index: PackageIndex, library: Path, backend: Path
) -> InstallCheckout:
    """Return a fresh clone: nothing is installed yet."""
    folder = tmp_path / "läuf er" / "moodmiles"
    shutil.copytree(ROOT / ".ci", folder / ".ci")
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    write_wheel(folder, "tiny", "1", {"tiny.py": ""}, requires=("tiny-library>=1",))
    clone = InstallCheckout(folder, index)
    clone.lock(library, backend)
    return clone


@pytest.fixture
def checkout_with_environment(
    checkout: InstallCheckout, environment: Path
) -> InstallCheckout:
    """Return a clone that has its environment, but no package in it."""
    shutil.copytree(environment, checkout.folder / ".venv", symlinks=True)
    return checkout


def test_a_path_with_a_space_and_an_umlaut_is_a_path_like_any(
    checkout: InstallCheckout,
) -> None:
    done = checkout.install()

    assert done.code == 0, done.output
    assert checkout.stamp.is_file()
    assert checkout.has("tiny_library")
    assert done.lines == 1


def test_what_the_index_cannot_do_today_is_done_by_another_try(
    checkout_with_environment: InstallCheckout,
    index: PackageIndex,
    library: Path,
    backend: Path,
) -> None:
    index.is_unavailable = True
    refused = checkout_with_environment.install()
    index.is_unavailable, index.cut = False, {backend.name}
    cut = checkout_with_environment.install()
    assert not checkout_with_environment.stamp.exists()
    index.cut = set()
    index.served.clear()
    finished = checkout_with_environment.install()

    assert refused.code == cut.code == 2
    assert "cannot serve now" in refused.error_sentence
    assert "incomplete" in cut.error_sentence
    assert max(refused.lines, cut.lines) == 3
    assert finished.code == 0, finished.output
    assert checkout_with_environment.has("tiny_library")
    # What had arrived whole was kept.
    assert backend.name in index.served
    assert library.name not in index.served


def test_a_machine_without_a_wheel_is_sent_to_the_readme(
    checkout_with_environment: InstallCheckout, library: Path, backend: Path
) -> None:
    backend.unlink()

    done = checkout_with_environment.install()

    assert done.code == 2
    assert "no wheel of tiny-backend==1 for Python 3." in done.error_sentence
    assert not checkout_with_environment.stamp.exists()


def test_no_network_is_said_in_one_sentence(
    checkout_with_environment: InstallCheckout,
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{closed.getsockname()[1]}/simple"
        done = checkout_with_environment.install(variables={"PIP_INDEX_URL": nowhere})

    assert done.code == 2
    assert "cannot be reached" in done.error_sentence
    assert done.lines == 3
    assert not checkout_with_environment.stamp.exists()


def test_an_environment_that_was_left_half_made_is_made_anew(
    checkout_with_environment: InstallCheckout,
) -> None:
    # So does pip look that was killed between two files: the name, not the module.
    half = checkout_with_environment.packages / "tiny_library-1.dist-info"
    half.mkdir()
    (half / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: tiny-library\nVersion: 1\n"
    )
    (checkout_with_environment.folder / ".venv" / ".unfinished").touch()

    done = checkout_with_environment.install()

    assert done.code == 0, done.output
    assert checkout_with_environment.has("tiny_library")


def test_what_no_lock_names_any_more_is_gone(
    checkout_with_environment: InstallCheckout,
    index: PackageIndex,
    library: Path,
    backend: Path,
) -> None:
    dropped = write_wheel(index.folder, "tiny-plugin", "1", {"tiny_plugin.py": ""})
    checkout_with_environment.lock(library, backend, dropped)
    checkout_with_environment.install()
    assert checkout_with_environment.has("tiny_plugin")

    checkout_with_environment.lock(library, backend)
    done = checkout_with_environment.install()

    assert done.code == 0, done.output
    assert not checkout_with_environment.has("tiny_plugin")
    assert checkout_with_environment.has("tiny_library")


def test_a_package_of_another_lock_that_does_not_fit_is_no_obstacle(
    checkout_with_environment: InstallCheckout,
    index: PackageIndex,
    library: Path,
    backend: Path,
) -> None:
    checkout_with_environment.install()
    newer = write_wheel(index.folder, "tiny-library", "2", {"tiny_library.py": "x = 2"})
    tool = write_wheel(
        index.folder,
        "tiny-tool",
        "1",
        {"tiny_tool.py": ""},
        requires=("tiny-library<2",),
    )
    python = checkout_with_environment.folder / ".venv" / "bin" / "python"
    by_hand = [str(python), "-m", "pip", "install", "-q", "--no-deps", str(tool)]
    subprocess.run(by_hand, check=True)  # noqa: S603

    checkout_with_environment.lock(newer, backend)
    done = checkout_with_environment.install()

    assert done.code == 0, done.output
    assert checkout_with_environment.has("tiny_library")
    assert not checkout_with_environment.has("tiny_tool")


def test_a_lock_that_is_not_complete_is_never_taken_for_finished(
    checkout_with_environment: InstallCheckout, backend: Path
) -> None:
    checkout_with_environment.lock(backend)

    done = checkout_with_environment.install()

    assert done.code == 2
    assert "requires tiny-library, which is not installed" in done.error_sentence
    assert not checkout_with_environment.stamp.exists()


def build_tools_path(folder: Path, python: str) -> dict[str, str]:
    """Return a PATH with make's tools and one Python, which is this script."""
    folder.mkdir()
    for tool in TOOLS:
        executable = shutil.which(tool)
        assert executable is not None, tool
        (folder / tool).symlink_to(executable)
    script = folder / "python3"
    script.write_text(f"#!/bin/sh\n{textwrap.dedent(python)}")
    script.chmod(0o755)
    return {"PATH": str(folder)}


def test_an_old_python_is_named_with_what_is_needed(
    checkout: InstallCheckout, tmp_path: Path
) -> None:
    old = """\
        [ "$1" = --version ] && echo Python 3.10.12 && exit 0
        exit 1
        """

    done = checkout.install(variables=build_tools_path(tmp_path / "bin", old))

    assert done.code == 2
    assert done.error_sentence.startswith("Python 3.11 or newer is needed")
    assert "Python 3.10.12" in done.error_sentence
    assert done.lines <= 3


def test_a_python_without_venv_is_told_where_to_get_it(
    checkout: InstallCheckout, tmp_path: Path
) -> None:
    stripped = tmp_path / "stripped"
    stripped.mkdir()
    (stripped / "ensurepip.py").write_text("raise ImportError('Debian splits it off')")
    python = f'PYTHONPATH={stripped} exec {sys.executable} "$@"'

    done = checkout.install(variables=build_tools_path(tmp_path / "bin", python))

    assert done.code == 2
    assert "apt-get install python3-venv" in done.error_sentence
    assert done.lines <= 3


def test_a_checkout_of_somebody_else_is_left_alone(checkout: InstallCheckout) -> None:
    checkout.folder.chmod(0o555)

    # Root may write anywhere, so that root's checkout is tried by nobody.
    done = checkout.install(user=65534 if os.geteuid() == 0 else None)
    checkout.folder.chmod(0o755)

    assert done.code == 2
    assert f"belongs to {getpass.getuser()}" in done.error_sentence
    assert "clone of your own" in done.error_sentence
    assert not (checkout.folder / ".venv").exists()


def test_a_full_disk_is_said_in_one_sentence(
    checkout_with_environment: InstallCheckout,
    index: PackageIndex,
    library: Path,
    backend: Path,
) -> None:
    large = write_wheel(
        index.folder, "tiny-data", "1", {"tiny_data.py": "#" * 60_000_000}
    )
    checkout_with_environment.lock(library, backend, large)
    venv = checkout_with_environment.folder / ".venv"
    small = """
        mv .venv full && mkdir .venv && mount -t tmpfs -o size=50M small .venv &&
        cp -a full/. .venv && rm -r full && shift && exec "$@"
        """

    done = checkout_with_environment.install(
        *("unshare", "--map-root-user", "--mount", "sh", "-c", small, "sh", "")
    )

    if "unshare" in done.output:
        pytest.skip("this machine lets nobody mount a small disk")
    assert done.code == 2
    assert done.error_sentence.startswith("The disk is full")
    assert str(venv) in done.error_sentence
    assert done.lines == 3
