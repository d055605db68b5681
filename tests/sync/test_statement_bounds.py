"""No statement of a page or of work on PostgreSQL takes for ever; others may."""

from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from socket import AF_INET, SOCK_STREAM, socket
from threading import Thread

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from sync.database import open_engine
from tests.support.servers import HOST

NAMES = (
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
)


@contextmanager
def opened(url: str, *, is_bounded: bool = False) -> Generator[Engine]:
    engine = open_engine(url, is_bounded=is_bounded)
    try:
        yield engine
    finally:
        engine.dispose()


def read_bounds(url: str, *, is_bounded: bool = True) -> list[str]:
    with opened(url, is_bounded=is_bounded) as engine, engine.connect() as connection:
        return [connection.scalar(text(f"SHOW {name}")) or "" for name in NAMES]


def add_options(url: str, options: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{options}"


def test_pages_and_work_are_bounded_and_migrations_are_not(postgres_url: str) -> None:
    assert read_bounds(postgres_url) == [
        "1min",
        "30s",
        "5min",
    ]
    assert read_bounds(postgres_url, is_bounded=False) == ["0", "0", "0"]


def test_bounds_of_the_hosts_own_stay(postgres_url: str) -> None:
    url = add_options(postgres_url, "options=-c%20lock_timeout%3D7s")

    assert read_bounds(url) == ["1min", "7s", "5min"]


def test_behind_a_shared_connection_nothing_is_set(postgres_url: str) -> None:
    url = add_options(postgres_url, "pool_mode=transaction")

    assert read_bounds(url) == ["0", "0", "0"]


@pytest.mark.parametrize(
    ("bound", "statement", "error"),
    [
        ("statement_timeout", "SELECT pg_sleep(60)", "statement timeout"),
        ("lock_timeout", "SELECT pg_advisory_lock(7)", "lock timeout"),
    ],
)
def test_what_waits_too_long_is_ended(
    postgres_url: str, bound: str, statement: str, error: str
) -> None:
    url = add_options(postgres_url, f"options=-c%20{bound}%3D300ms")
    with (
        opened(url, is_bounded=True) as engine,
        opened(postgres_url) as other_engine,
        other_engine.connect() as other,
    ):
        other.execute(text("SELECT pg_advisory_lock(7)"))

        with engine.connect() as connection, pytest.raises(OperationalError) as failure:
            connection.execute(text(statement))

        other.execute(text("SELECT pg_advisory_unlock(7)"))
        assert error in str(failure.value)
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1


@pytest.mark.slow
def test_a_server_that_never_answers_is_given_up() -> None:
    """It takes the connection, and says nothing."""
    with closing(socket(AF_INET, SOCK_STREAM)) as server:
        server.bind((HOST, 0))
        server.listen()

        def take() -> None:
            with suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    while connection.recv(1024):
                        pass

        Thread(target=take, daemon=True).start()
        port = server.getsockname()[1]
        url = f"postgresql://moodmiles@{HOST}:{port}/moodmiles?connect_timeout=2"

        with (
            opened(url) as engine,
            pytest.raises(OperationalError),
            engine.connect(),
        ):
            pass
