"""The runtime of a check, which leaves a broken database to the database's check."""

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from host.errors import ActionRequired
from sync.runtime import Runtime, build
from sync.settings import Settings

# What a wrong address makes SQLAlchemy, its drivers and the resolver raise.
DATABASE_ERRORS = (SQLAlchemyError, OSError, ValueError, ImportError)


@contextmanager
def open_runtime(settings: Settings) -> Generator[Runtime]:
    """Build a runtime whose database answers; raises `ActionRequired` if none does."""
    try:
        runtime = build(settings)
        with runtime.db.engine.connect():
            pass
    except DATABASE_ERRORS:
        raise _build_error() from None
    try:
        yield runtime
    except SQLAlchemyError:
        raise _build_error() from None
    finally:
        runtime.db.close()


def _build_error() -> ActionRequired:
    return ActionRequired("Not checked: see the database's line.")
