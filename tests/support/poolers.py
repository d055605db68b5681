"""PgBouncer in front of a PostgreSQL, as large installations have it."""

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psycopg
from sqlalchemy import make_url

from tests.support.servers import HOST, TIMEOUT_S, free_port, wait_until

# Fewer than the connections to it, so that each transaction may get another one.
_SERVER_CONNECTIONS = 3
_CONFIGURATION = """
[databases]
* = host={database_host} port={database_port} user={role}
[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {pool_mode}
default_pool_size = {size}
# The next transaction gets another server process, as under load.
server_round_robin = 1
logfile = {folder}/pgbouncer.log
"""


def find_pgbouncer() -> str | None:
    """Return where PgBouncer is installed, or was unpacked for the tests."""
    return shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")


@contextmanager
def run_pgbouncer(database_url: str, *, pool_mode: str) -> Generator[str]:
    """Run PgBouncer until the block ends; give the address to connect to."""
    program = find_pgbouncer()
    assert program is not None
    url, port = make_url(database_url), free_port()
    folder = Path(mkdtemp(prefix="moodmiles-pgbouncer-"))
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        _CONFIGURATION.format(
            database_host=url.host or HOST,
            database_port=url.port or 5432,
            role=url.username,
            host=HOST,
            port=port,
            pool_mode=pool_mode,
            size=_SERVER_CONNECTIONS,
            folder=folder,
        )
    )
    command = [program, str(configuration)]
    if os.geteuid() == 0:  # it refuses to run as root
        shutil.chown(folder, "nobody")
        command = [program, "-u", "nobody", str(configuration)]
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)  # noqa: S603
    address = f"postgresql://{url.username}@{HOST}:{port}/{url.database}"

    def is_answering() -> bool:
        assert process.poll() is None, (folder / "output.log").read_text()
        try:
            psycopg.connect(address, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    try:
        wait_until(is_answering)
        yield address
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)
        shutil.rmtree(folder, ignore_errors=True)
