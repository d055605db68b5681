"""The database's door: what goes wrong inside shows nothing that was written."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from sync.database import open_engine


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
