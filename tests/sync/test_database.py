"""The database's door: what goes wrong inside shows nothing that was written."""

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from sync.database import open_engine
from sync.models.base import UNREADABLE_DAY, UNREADABLE_TIME


@pytest.mark.parametrize(
    "url", ["sqlite://", "postgresql+psycopg://nobody@127.0.0.1/x"]
)
def test_no_engine_shows_what_was_written(url: str) -> None:
    engine = open_engine(url)

    assert engine.hide_parameters
    engine.dispose()


def test_an_error_message_holds_no_value() -> None:
    engine = open_engine("sqlite://")

    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE said (mood TEXT NOT NULL)"))
        with pytest.raises(IntegrityError) as refused:
            connection.execute(
                text("INSERT INTO said SELECT NULL WHERE :mood = :mood"),
                {"mood": "Low"},
            )

    assert "Low" not in str(refused.value)
    engine.dispose()


@pytest.mark.parametrize(
    ("kind", "replacement"),
    [("timestamptz", UNREADABLE_TIME), ("date", UNREADABLE_DAY)],
)
@pytest.mark.parametrize(
    "value", ["infinity", "-infinity", "0044-03-15 BC", "10000-01-01", "99999-12-31"]
)
def test_a_time_that_python_has_not_is_read_as_long_over(
    postgres_url: str, kind: str, replacement: date, value: str
) -> None:
    engine = open_engine(postgres_url)
    with engine.connect() as connection:
        row = connection.execute(
            text(f"SELECT CAST('{value}' AS {kind}), CAST('2026-05-01' AS date)")
        ).one()

    assert tuple(row) == (replacement, date(2026, 5, 1))
    engine.dispose()
