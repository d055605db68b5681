"""`moodmiles up` and `demo` after an unlucky day: they start, or say what to do."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import requests

from host.cli import main
from host.data_dir import lock_data_directory
from host.data_entries import (
    DISPOSABLE_FILES,
    DISPOSABLE_FOLDERS,
    DataEntry,
    list_quarantined,
)
from sync.crypto import Sealer
from sync.settings import PREFIX
from tests.support import damage
from tests.support.live_instance import start_instance
from tests.support.paths import ROOT
from tests.support.servers import TIMEOUT_S, free_port

pytestmark = pytest.mark.processes

_DATABASE, _LOG = DataEntry.DATABASE, DataEntry.DATABASE_LOG
_UNPRIVILEGED = (
    "import sys; from tests.support.damage import drop_privileges; drop_privileges();"
    "from host.cli import main; sys.exit(main(sys.argv[1:]))"
)


@pytest.fixture(scope="module")
def sealed_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data directory with a runner whose secrets are sealed by its key."""
    data_dir = tmp_path_factory.mktemp("sealed") / "data"
    with lock_data_directory(data_dir) as home:
        secrets = home.load_secrets()
        home.store_secrets(secrets)
        main(["db", "upgrade", "--data-dir", str(data_dir)])
    path = data_dir / _DATABASE
    with closing(sqlite3.connect(path)) as tables:
        tables.execute("PRAGMA journal_mode=WAL")
        tables.execute("PRAGMA wal_autocheckpoint=0")
        sealed = Sealer([secrets["secret_key"]]).new_vault_key()
        required = {
            name: 0 if kind.startswith(("INT", "BIG", "BOOL")) else "2026-01-01 00:00"
            for _, name, kind, is_required, default, _ in tables.execute(
                "PRAGMA table_info(runner)"
            )
            if is_required and default is None
        }
        row = required | {"id": 1, "vault_key": sealed, "preferences": "{}"}
        marks = ", ".join("?" * len(row))
        tables.execute(
            f"INSERT INTO runner ({', '.join(row)}) VALUES ({marks})",  # noqa: S608
            list(row.values()),
        )
        tables.commit()
        # As a power cut leaves it: the latest changes are in the log.
        shutil.copy(path, data_dir / "copy")
        shutil.copy(data_dir / _LOG, data_dir / "copy-wal")
    (data_dir / "copy").replace(path)
    (data_dir / "copy-wal").replace(data_dir / _LOG)
    for name in (f"{_DATABASE}-shm",):
        (data_dir / name).unlink(missing_ok=True)
    return data_dir


@pytest.fixture
def data_dir(sealed_dir: Path, folder: Path) -> Path:
    return Path(shutil.copytree(sealed_dir, folder / "data"))


def refuse_to_start(data_dir: Path, **settings: str) -> str:
    """Try to start an instance; return the one sentence with which it refuses."""
    others = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
    done = subprocess.run(  # noqa: S603
        [
            *(sys.executable, "-c", _UNPRIVILEGED, "up"),
            *("--data-dir", str(data_dir), "--port", str(free_port())),
        ],
        cwd=data_dir.parent,
        env=others | settings | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def read_tables_and_keys(data_dir: Path) -> dict[str, bytes]:
    return {
        entry: (data_dir / entry).read_bytes()
        for entry in (DataEntry.SECRETS, _DATABASE, _LOG)
        if (data_dir / entry).is_file()
    }


def damage_pages(path: Path) -> None:
    """Spoil pages behind the first ones, which alone are read at once."""
    with path.open("r+b") as file:
        file.seek(20 * 4096)
        file.write(bytes(range(256)) * 200)


DATABASE_HARMS: list[tuple[DataEntry, Callable[[Path], None]]] = [
    *((_DATABASE, harm) for harm in (*damage.OF_FILES, damage_pages)),
    *((_LOG, harm) for harm in (damage.put_folder, damage.put_pipe)),
    *((_LOG, harm) for harm in (damage.make_unreadable, damage.put_dangling_link)),
    (_DATABASE, damage.remove),
]


@pytest.mark.parametrize(
    ("entry", "harm"),
    [
        pytest.param(entry, harm, id=f"{entry}-{harm.__name__}")
        for entry, harm in DATABASE_HARMS
        if harm is not damage.give_away or not os.geteuid()
    ],
)
def test_damaged_tables_are_named_and_left_alone(
    entry: DataEntry, harm: Callable[[Path], None], data_dir: Path
) -> None:
    harm(data_dir / entry)
    before = read_tables_and_keys(data_dir)

    sentence = refuse_to_start(data_dir)

    assert str(data_dir / _DATABASE) in sentence
    assert "backup" in sentence or "give it to the user" in sentence
    assert read_tables_and_keys(data_dir) == before
    assert list_quarantined(data_dir) == []


def change_key(path: Path) -> None:
    path.write_text(path.read_text().replace('"secret_key": "', '"secret_key": "ab', 1))
    text = path.read_text()
    start = text.index('"secret_key": "') + len('"secret_key": "')
    path.write_text(text[: start + 96] + text[start + 98 :])


@pytest.mark.parametrize("harm", [damage.remove, change_key, damage.zero, damage.cut])
def test_no_key_is_made_beside_sealed_data(
    harm: Callable[[Path], None], data_dir: Path
) -> None:
    harm(data_dir / DataEntry.SECRETS)
    before = read_tables_and_keys(data_dir)

    sentence = refuse_to_start(data_dir)

    assert str(data_dir / DataEntry.SECRETS) in sentence
    assert "backup" in sentence
    assert read_tables_and_keys(data_dir) == before


def test_a_key_in_the_settings_has_to_be_the_right_one(data_dir: Path) -> None:
    sentence = refuse_to_start(
        data_dir, MOODMILES_SECRET_KEYS="another key that nobody has sealed with"
    )

    assert "MOODMILES_SECRET_KEYS" in sentence


@pytest.mark.parametrize("command", ["up", "demo"])
def test_an_instance_starts_whatever_else_is_damaged(
    command: str, folder: Path
) -> None:
    data_dir = folder / "data"
    with start_instance(data_dir, command=command) as first:
        requests.get(f"{first.url}/healthz", timeout=TIMEOUT_S)
    assert {path.name for path in data_dir.iterdir()} <= set(DataEntry)
    keys = (data_dir / DataEntry.SECRETS).read_bytes()
    for entry in DISPOSABLE_FILES - {DataEntry.DATABASE_INDEX}:
        (data_dir / entry).write_bytes(os.urandom(5000))
    for entry in DISPOSABLE_FOLDERS:
        for path in (data_dir / entry).rglob("*"):
            if path.is_file():
                path.write_bytes(os.urandom(5000))

    with start_instance(data_dir, command=command) as second:
        assert requests.get(f"{second.url}/readyz", timeout=TIMEOUT_S).ok
        assert requests.get(f"{second.url}/mailbox", timeout=TIMEOUT_S).ok

    lines = (folder / "up.log").read_text().splitlines()
    renamed = list_quarantined(data_dir)
    assert {path.name.partition(".set-aside-")[0] for path in renamed} == {
        *(DataEntry.PORTS, DataEntry.REDIS, DataEntry.SIMULATOR),
    }
    for path in renamed:
        assert [line for line in lines if path.name in line]
    assert (data_dir / DataEntry.SECRETS).read_bytes() == keys
