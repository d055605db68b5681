"""Faults are tried on both databases, with processes that can really be killed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import emptied
from tests.faults.workshop import Workshop


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return emptied(request.getfixturevalue("postgres_url"))
    copy = tmp_path / "moodmiles.sqlite3"
    shutil.copy(request.getfixturevalue("sqlite_template"), copy)
    return f"sqlite:///{copy}"


@pytest.fixture(scope="session")
def workshop() -> Iterator[Workshop]:
    with Workshop() as workshop:
        yield workshop
