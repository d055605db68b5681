"""Another Moodmiles beside the first, and files that travel between them."""

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy import func, select

from sync.crypto import Sealer
from sync.database import Database, connect
from sync.models import Model
from sync.portability.pack import pack
from sync.runtime import Runtime
from tests.support.harness import Stage
from tests.support.recording_queue import RecordingQueue


@contextmanager
def another(stage: Stage, template: Path, folder: Path) -> Iterator[Stage]:
    """Open an empty Moodmiles with keys of its own; the world around is the same."""
    path = folder / "elsewhere.sqlite3"
    shutil.copy(template, path)
    queue = RecordingQueue()
    db = Database(connect(f"sqlite:///{path}"), queue, clock=stage.clock)
    sealer = Sealer(["the key of another Moodmiles, long enough"])
    runtime = replace(stage.runtime, db=db, queue=queue, sealer=sealer)
    yield replace(stage, runtime=runtime, queue=queue)
    db.close()


def exported(runtime: Runtime, runner_id: int) -> dict[str, bytes]:
    with ZipFile(io.BytesIO(pack(runtime, runner_id))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "travelling.zip"
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def counts(runtime: Runtime) -> dict[str, int]:
    """Count the rows of every table."""
    with runtime.db.reading() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Model.metadata.sorted_tables
        }
