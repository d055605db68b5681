"""Asking is tested on both databases that it runs on."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import emptied


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return emptied(request.getfixturevalue("postgres_url"))
    copy = tmp_path / "moodmiles.sqlite3"
    shutil.copy(request.getfixturevalue("sqlite_template"), copy)
    return f"sqlite:///{copy}"
