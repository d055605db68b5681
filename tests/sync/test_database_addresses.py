"""Each form of a PostgreSQL address that the settings take leads to its tables."""

from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest
from sqlalchemy import select, text

from host.database import MigrationState
from host.errors import StartupError
from sync.database import open_engine
from sync.settings import Settings
from tests.support.postgres import ROLE, PostgresServer
from tests.support.servers import HOST, free_port

pytestmark = [pytest.mark.postgresql, pytest.mark.processes]


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Path, int]]:
    """Run a server of this module; give the folder of its socket, and its port."""
    home, port = Path(mkdtemp(prefix="moodmiles-postgres-")), free_port()
    server = PostgresServer(home, port)
    server.start()
    home.chmod(0o755)
    yield home, port
    server.stop()
    rmtree(home, ignore_errors=True)


@pytest.mark.parametrize(
    "url",
    [
        "postgres://{role}@{host}:{port}/postgres",
        "postgresql://{role}@{host}:{port}/postgres",
        "POSTGRESQL+PSYCOPG://{role}@{host}:{port}/postgres",
        "postgresql://{role}:any%40%2F%20%23@{host}:{port}/postgres",
        "postgresql://{role}@{host}:{port}/postgres?sslmode=prefer&connect_timeout=9",
        "postgresql:///postgres?host={home}&port={port}&user={role}",
        "postgresql://{role}@%2F{escaped_home}:{port}/postgres",
        "postgresql://{role}@/postgres?host={home}&port={port}",
        "postgresql://{role}@{host}:{dead},{host}:{port}/postgres",
        "postgresql://{role}@[::1]:{dead},{host}:{port}/postgres",
        "postgresql://{role}@{host},{host}:{port}/postgres?connect_timeout=2",
        "postgresql://{role}@[::1],{host}/postgres?port={port}",
        "postgresql://{role}@{host}:{port}/postgres?target_session_attrs=read-write",
        "postgresql://{role}@{host}:{port}/postgres?application_name=moods%20%26%20me",
        "postgresql://{role}@/postgres?hostaddr={host}&port={port}",
    ],
)
@pytest.mark.parametrize("pool_mode", ["session", "transaction"])
def test_an_address_leads_to_the_tables(
    url: str, pool_mode: str, server: tuple[Path, int]
) -> None:
    home, port = server
    given = url.format(
        role=ROLE,
        host=HOST,
        port=port,
        dead=free_port(),
        home=home,
        escaped_home=str(home)[1:].replace("/", "%2F"),
    )
    sql_url = Settings.model_validate(
        {"database_url": given, "database_pool_mode": pool_mode}
    ).sql_url

    assert MigrationState(sql_url).current_revisions() == set()
    engine = open_engine(sql_url)
    with engine.connect() as connection:
        assert connection.scalar(select(text("current_setting('port')::int"))) == port
        driver = connection.connection.driver_connection
        assert driver is not None
        assert driver.prepare_threshold == (5 if pool_mode == "session" else None)
    engine.dispose()


def test_what_is_wrong_is_said_without_the_password() -> None:
    for url in (
        f"postgresql://u:Zq7Zx%40@{HOST}:{free_port()}/x",
        "postgresql://u:Zq7Zx@no-such-host.invalid/x?connect_timeout=2",
        f"postgresql://u:Zq7Zx@{HOST}:1/x?sslmode=verify-full&sslrootcert=/no/file",
        "postgresql:///x?host=/no/such/folder&password=Zq7Zx",
        f"postgresql://u:Zq7Zx@{HOST}/x?connect_timeout=soon",
    ):
        sql_url = Settings.model_validate({"database_url": url}).sql_url

        with pytest.raises(StartupError, match="The database cannot be used: ") as said:
            MigrationState(sql_url).current_revisions()

        assert "Zq7Zx" not in str(said.value)
        assert "\n" not in str(said.value)
