"""A real PostgreSQL for the tests: the one named, or one started for them."""

import os
import shutil
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import make_url

from tests.support.servers import HOST, free_port

URL_VARIABLE = "MOODMILES_TEST_POSTGRES_URL"
WORKER_VARIABLE = "PYTEST_XDIST_WORKER"
ROLE = "moodmiles"


class PostgresNotFound(RuntimeError):
    """There is no PostgreSQL to test with, and how to get one."""


@contextmanager
def provide_postgres() -> Generator[str]:
    """Give the address of an empty database that lives as long as the block."""
    named = os.environ.get(URL_VARIABLE)
    if named:
        with _create_worker_database(named) as url:
            yield url
        return
    home = Path(mkdtemp(prefix="moodmiles-postgres-"))
    server = PostgresServer(home, free_port())
    server.start()
    try:
        yield server.url
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _create_worker_database(url: str) -> Generator[str]:
    """Give each of the processes that test side by side a database of its own."""
    worker = os.environ.get(WORKER_VARIABLE)
    if worker is None:
        yield url
        return
    name = f"moodmiles_{worker}_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
        server.execute(SQL("DROP DATABASE {} (FORCE)").format(Identifier(name)))


class PostgresServer:
    """One PostgreSQL with a folder of its own; faults may restart it."""

    def __init__(
        self, home: Path, port: int, environment: Mapping[str, str] | None = None
    ) -> None:
        self._bin = _find_binaries()
        self._environment = environment
        self._data = home / "data"
        self._port = port
        self._home = home
        self.url = f"postgresql://{ROLE}@{HOST}:{port}/postgres"
        if os.geteuid() == 0:
            shutil.chown(home, "postgres")
        init = ["--username", ROLE, "--auth", "trust", "--no-sync"]
        self._run("initdb", "-D", str(self._data), *init)

    def start(self) -> None:
        options = (
            f"-p {self._port} -c listen_addresses={HOST} -k {self._home} "
            "-c fsync=off -c full_page_writes=off"
        )
        log = str(self._home / "log")
        self._run(
            "pg_ctl", "-D", str(self._data), "-w", "-l", log, "-o", options, "start"
        )

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", str(self._data), "-m", mode, "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), *arguments]
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            command = ["runuser", "-u", "postgres", "--", *command]
        completed = subprocess.run(  # noqa: S603
            command,
            cwd=self._home,
            capture_output=True,
            text=True,
            check=False,
            env=self._environment,
        )
        if completed.returncode:
            raise PostgresNotFound(
                f"{program} failed: {completed.stderr.strip()[-500:]}"
            )


def _find_binaries() -> Path:
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    candidates = sorted(versions, key=lambda initdb: float(initdb.parts[-3]))
    if not candidates:
        raise PostgresNotFound(
            "The tests need PostgreSQL: `apt-get install postgresql`, or name a "
            f"server in {URL_VARIABLE}."
        )
    return candidates[-1].parent
