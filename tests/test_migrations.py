"""The migrations make what the models say, on both databases, and undo it."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect

from sync.database import connect


def config_for(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", "sync:migrations")
    config.attributes["url"] = url
    return config


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'migrated.sqlite3'}"


def test_migrations_match_the_models_on_sqlite(sqlite_url: str) -> None:
    command.upgrade(config_for(sqlite_url), "head")

    command.check(config_for(sqlite_url))


def test_migrations_match_the_models_on_postgresql(postgres_url: str) -> None:
    command.check(config_for(postgres_url))


def test_down_and_up_again(sqlite_url: str) -> None:
    command.upgrade(config_for(sqlite_url), "head")
    command.downgrade(config_for(sqlite_url), "base")
    engine = connect(sqlite_url)
    left = set(inspect(engine).get_table_names())
    engine.dispose()

    command.upgrade(config_for(sqlite_url), "head")

    assert left == {"alembic_version"}
    command.check(config_for(sqlite_url))
