"""Show that the locks are complete: nothing outside them is ever needed.

    python -m tests.lab.locks            what the environment at hand can tell, offline
    python -m tests.lab.locks --install  fresh installs and wheels; needs an index

The first reads what the installed distributions require, and compares it with the
lock on every Python and machine that is served. The second is `make lock`'s proof:
each lock is installed into an empty environment by Debian 12's pip and by the
newest, and every locked version has a wheel for each machine that is served.
"""

import argparse
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version
from typing_extensions import override

from tests.support.paths import ROOT

RUNTIME = ROOT / "requirements.lock"
DEVELOPMENT = ROOT / "requirements-dev.lock"
GROUP = {RUNTIME: "build", DEVELOPMENT: "dev"}

# Debian 12's Python is 3.11.2, and async-timeout is for those before 3.11.3.
PYTHONS = ("3.11.2", "3.11.14", "3.12.0", "3.13.0", "3.14.0")
MACHINES = (("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"))
SERVED_PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# What uv calls the machines that are served.
SERVED_MACHINES = (
    "x86_64-manylinux_2_28",
    "aarch64-manylinux_2_28",
    "aarch64-apple-darwin",
)
DEBIAN_12_PIP = "pip==23.0.1"

LINE = re.compile(
    r"^(?P<requirement>[^\s#][^\\\n]*?) \\\n(?P<hashes>(?:    --hash=\S+(?: \\)?\n)+)",
    re.MULTILINE,
)


class MarkerEnvironment(dict[str, str]):
    """The values of all markers on one Python and one machine."""

    @classmethod
    def of(cls, python: str, system: str, machine: str) -> "MarkerEnvironment":
        """Return the environment of CPython there."""
        return cls(
            implementation_name="cpython",
            implementation_version=python,
            os_name="posix",
            platform_machine=machine,
            platform_python_implementation="CPython",
            platform_release="",
            platform_system={"linux": "Linux", "darwin": "Darwin"}[system],
            platform_version="",
            python_full_version=python,
            python_version=".".join(python.split(".")[:2]),
            sys_platform=system,
        )

    @override
    def __str__(self) -> str:
        python, machine = self["python_full_version"], self["platform_machine"]
        return f"Python {python} on {self['sys_platform']} {machine}"

    def admits(self, marker: Marker | None, extra: str = "") -> bool:
        """Tell whether a requirement with this marker counts here."""
        return marker is None or marker.evaluate({**self, "extra": extra})


def served_environments() -> list[MarkerEnvironment]:
    """Return every environment that a lock must be complete for."""
    return [
        MarkerEnvironment.of(python, *machine)
        for python in PYTHONS
        for machine in MACHINES
    ]


def this_environment() -> MarkerEnvironment:
    """Return the environment that runs this."""
    return MarkerEnvironment({k: str(v) for k, v in default_environment().items()})


@dataclass(frozen=True, slots=True)
class LockPin:
    """One line of a lock."""

    name: NormalizedName
    version: Version
    marker: Marker | None
    hashes: frozenset[str]

    @override
    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def parse_lock(text: str) -> list[LockPin]:
    """Return the pins of a lock in pip's format with hashes."""
    pins = []
    for match in LINE.finditer(text):
        requirement = Requirement(match["requirement"])
        pins.append(
            LockPin(
                name=canonicalize_name(requirement.name),
                version=Version(str(requirement.specifier).removeprefix("==")),
                marker=requirement.marker,
                hashes=frozenset(re.findall(r"--hash=(\S+)", match["hashes"])),
            )
        )
    return pins


def project_requirements(group: str) -> list[Requirement]:
    """Return what pyproject.toml asks for: its dependencies and one group."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]

    def members(name: str) -> Iterator[str]:
        for entry in groups[name]:
            if isinstance(entry, str):
                yield entry
            else:
                yield from members(entry["include-group"])

    return [
        Requirement(line)
        for line in [
            *project["project"]["dependencies"],
            *project["build-system"]["requires"],
            *members(group),
        ]
    ]


@dataclass(frozen=True, slots=True)
class WheelMetadata:
    """What a distribution says that it requires."""

    requirements: tuple[Requirement, ...]
    python: SpecifierSet


@functools.cache
def installed_metadata(name: NormalizedName, version: Version) -> WheelMetadata | None:
    """Return the metadata of this very version, or None if it is not installed."""
    try:
        dist = distribution(name)
    except PackageNotFoundError:
        return None
    if Version(dist.version) != version:
        return None
    pythons = dist.metadata.get_all("Requires-Python") or ()
    return WheelMetadata(
        requirements=tuple(Requirement(line) for line in dist.requires or ()),
        python=SpecifierSet(",".join(pythons)),
    )


def requirements_of(pin: LockPin) -> tuple[Requirement, ...]:
    """Return what a pin requires, as far as its version is installed."""
    metadata = installed_metadata(pin.name, pin.version)
    return metadata.requirements if metadata else ()


def unfit_python(pin: LockPin, environment: MarkerEnvironment) -> list[str]:
    """Tell when a pin's version does not run on the environment's Python."""
    metadata = installed_metadata(pin.name, pin.version)
    if metadata is None or environment["python_full_version"] in metadata.python:
        return []
    return [f"{pin} needs Python {metadata.python}"]


def unmet_requirements(
    pins: list[LockPin], requirements: list[Requirement], environment: MarkerEnvironment
) -> list[str]:
    """Return a sentence for each requirement that the lock does not meet here.

    Versions that this environment's Python does not install are not looked into;
    `--install` has the index's word on them.
    """
    counting = [pin for pin in pins if environment.admits(pin.marker)]
    locked = {pin.name: pin for pin in counting}
    problems = [
        f"{pin} is locked beside {locked[pin.name]}"
        for pin in counting
        if pin is not locked[pin.name]
    ]
    problems += [
        problem for pin in counting for problem in unfit_python(pin, environment)
    ]
    waiting = [("pyproject.toml", requirement, "") for requirement in requirements]
    followed: set[tuple[NormalizedName, str]] = set()
    while waiting:
        asker, requirement, extra = waiting.pop()
        if not environment.admits(requirement.marker, extra):
            continue
        pin = locked.get(canonicalize_name(requirement.name))
        if pin is None:
            problems.append(f"{asker} needs {requirement}, and the lock has none")
            continue
        if not requirement.specifier.contains(pin.version, prereleases=True):
            problems.append(f"{asker} needs {requirement}, and the lock has {pin}")
        wanted = {(pin.name, wanted) for wanted in ("", *requirement.extras)}
        for _, wanted_extra in wanted - followed:
            waiting += [
                (str(pin), requirement_left, wanted_extra)
                for requirement_left in requirements_of(pin)
            ]
        followed |= wanted
    return [f"{problem} ({environment})" for problem in problems]


def check_lock(lock: Path) -> list[str]:
    """Return what a lock lacks anywhere it is served."""
    pins = parse_lock(lock.read_text())
    requirements = project_requirements(GROUP[lock])
    return [
        problem
        for environment in served_environments()
        for problem in unmet_requirements(pins, requirements, environment)
    ]


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's folder and keep what it says."""
    return subprocess.run(  # noqa: S603
        command,
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def fresh_install(lock: Path, python: str, pip: str) -> list[str]:
    """Install a lock into an empty environment with one pip; return what failed."""
    with tempfile.TemporaryDirectory() as folder:
        venv = Path(folder) / "venv"
        for command in (
            (python, "-m", "venv", venv),
            (venv / "bin" / "python", "-m", "pip", "install", "--upgrade", pip),
            (ROOT / ".ci" / "install", lock.name, venv),
        ):
            completed = run(*command)
            if completed.returncode:
                return [completed.stderr.strip()]
    return []


def available_pythons() -> list[str]:
    """Return the served Pythons that this machine can start."""
    names = (f"python{version}" for version in SERVED_PYTHONS)
    return [
        name
        for name in names
        if shutil.which(name) and run(name, "-c", "").returncode == 0
    ]


def find_unavailable_pins(lock: Path, python: str, machine: str) -> list[str]:
    """Return what keeps a lock from being installed on one machine.

    uv resolves our own requirements anew, from the lock's versions and from wheels
    alone: what it adds is missing from the lock, what it cannot find has no wheel.
    """
    completed = run(
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header"),
        *("--no-annotate", "--only-binary", ":all:"),
        *("--python-version", python, "--python-platform", machine),
        *("--group", GROUP[lock], "--constraint", lock, "pyproject.toml"),
    )
    if completed.returncode:
        return [completed.stderr.strip()]
    locked = {f"{pin.name}=={pin.version}" for pin in parse_lock(lock.read_text())}
    resolved = set(re.findall(r"^[^\s#=]+==\S+", completed.stdout, re.MULTILINE))
    if not resolved:
        return [f"uv resolved nothing: {completed.stdout}"]
    return [f"{missing} is not locked" for missing in sorted(resolved - locked)]


def print_report(title: str, problems: list[str]) -> bool:
    """Print what was tried and how it went."""
    print(f"{title}: {'ok' if not problems else 'NOT OK'}", flush=True)
    for problem in problems:
        print(f"  {problem}")
    return not problems


def try_index() -> Iterator[bool]:
    """Try everything that needs an index; yield how each trial went."""
    for lock in GROUP:
        for machine in SERVED_MACHINES:
            for python in SERVED_PYTHONS:
                title = f"{lock.name}: wheels for Python {python} on {machine}"
                yield print_report(title, find_unavailable_pins(lock, python, machine))
    pythons = available_pythons()
    yield print_report(
        "Debian 12's Python is here",
        [] if "python3.11" in pythons else ["its pip runs on python3.11 alone"],
    )
    for python in pythons:
        for pip in (DEBIAN_12_PIP, "pip") if python == "python3.11" else ("pip",):
            for lock in GROUP:
                title = f"{lock.name}: installed by {pip} on {python}"
                yield print_report(title, fresh_install(lock, python, pip))


def main() -> int:
    """Check both locks; say each trial in one line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--install", action="store_true", help="ask the index as well")
    arguments = parser.parse_args()

    fine = [
        print_report(f"{lock.name} is complete", check_lock(lock)) for lock in GROUP
    ]
    if arguments.install:
        fine += try_index()
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
