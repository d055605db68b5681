"""Alembic's entry point: on the engine given, or on the one the settings name."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection

from sync.database import connect
from sync.models import Model
from sync.models.base import UtcDateTime
from sync.settings import load


def _plain_types(
    type_: str, item: Any, _autogen: AutogenContext
) -> str | Literal[False]:
    """Write our own column type as what it is in the database."""
    if type_ == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Model.metadata,
        # SQLite numbers rows without an identity, so there is none to compare.
        compare_server_default=connection.dialect.name == "postgresql",
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=_plain_types,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


url = context.config.attributes.get("url") or load().sql_url
engine = connect(url)
with engine.connect() as connection:
    _run(connection)
    connection.commit()
engine.dispose()
