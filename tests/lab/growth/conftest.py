"""Stages over fresh tables, as many as a test needs."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import structlog

from tests.lab.bench.standalone_harness import on_tables, quiet
from tests.support.harness import Stage


@pytest.fixture(autouse=True)
def nothing_is_logged() -> Iterator[None]:
    """Log to nowhere: a line more or less is not what is counted here."""
    before = structlog.get_config()
    quiet()
    yield
    structlog.configure(**before)


@pytest.fixture
def new_stage(sqlite_template: Path, tmp_path: Path) -> Iterator[Callable[[], Stage]]:
    with ExitStack() as stack:

        def build() -> Stage:
            folder = tmp_path / f"stage{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            shutil.copy(sqlite_template, folder / "tables")
            return stack.enter_context(on_tables(f"sqlite:///{folder}/tables", folder))

        yield build
