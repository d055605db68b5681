"""Stages over fresh tables, as many as a test needs."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import structlog

from tests.lab.bench.standalone_harness import open_harness_on_tables, silence_logging
from tests.support.harness import Harness


@pytest.fixture(autouse=True)
def silenced_logging() -> Iterator[None]:
    """Log to nowhere: a line more or less is not what is counted here."""
    before = structlog.get_config()
    silence_logging()
    yield
    structlog.configure(**before)


@pytest.fixture
def new_harness(
    sqlite_template: Path, tmp_path: Path
) -> Iterator[Callable[[], Harness]]:
    with ExitStack() as stack:

        def build() -> Harness:
            folder = tmp_path / f"stage{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            shutil.copy(sqlite_template, folder / "tables")
            return stack.enter_context(
                open_harness_on_tables(f"sqlite:///{folder}/tables", folder)
            )

        yield build
