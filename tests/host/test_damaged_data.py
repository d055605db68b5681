"""A data directory after an unlucky day: what is disposable never stops a start.

Each entry meets each kind of damage, here without processes; with them in
`test_damaged_starts`.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from host.configuration import load_effective_settings
from host.data_dir import DataDirectory, lock_data_directory
from host.data_entries import (
    DISPOSABLE_FILES,
    DISPOSABLE_FOLDERS,
    IRREPLACEABLE,
    MAX_QUARANTINED,
    DataEntry,
    draft_name,
    list_quarantined,
    quarantine,
)
from host.errors import StartupError
from host.options import InstanceOptions
from host.plan import InstancePlan
from tests.support import damage
from tests.support.servers import HOST

# Each start is tried in a fork without privileges.
pytestmark = pytest.mark.processes

FOREIGN_OWNERS = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root gives files to another user"
)
CASES = [
    pytest.param(
        entry,
        harm,
        id=f"{entry}-{harm.__name__}",
        marks=FOREIGN_OWNERS if harm is damage.give_away else (),
    )
    for entries, harms in (
        (DISPOSABLE_FILES, damage.OF_FILES),
        (DISPOSABLE_FOLDERS, damage.OF_FOLDERS),
    )
    for entry in sorted(entries)
    for harm in harms
]


def start(data_dir: Path) -> DataDirectory:
    """Do with a data directory what every start does before there are processes."""
    options = InstanceOptions(
        data_dir=data_dir,
        host=HOST,
        port=8000,
        public_url="http://127.0.0.1:8000",
        web_processes=1,
        configured=frozenset(),
    )
    with lock_data_directory(data_dir) as home:
        plan = InstancePlan(options, home, port=8000)
        plan.database_part()
        home.store_secrets(plan.secrets)
        home.write_json(DataEntry.INSTANCE, plan.generated_settings)
        home.write_json(DataEntry.FAILING_PARTS, {})
        for part in (
            *(plan.redis_part(), plan.web_part(), plan.worker_part()),
            *(plan.simulator_part(), plan.mailbox_part()),
        ):
            part.log.open("ab").close()
        (home.path / DataEntry.HEARTBEAT).touch()
    return home


@pytest.fixture
def data_dir(folder: Path) -> Path:
    """Return the data directory of an instance that has run before."""
    home = start(folder / "data")
    for entry in DISPOSABLE_FILES:
        path = home.path / entry
        if not path.exists():
            path.write_text("{}")
    (home.path / DataEntry.DATABASE).write_bytes(b"tables")
    (home.path / DataEntry.DATABASE_LOG).write_bytes(b"the latest changes")
    (home.path / DataEntry.INSTRUMENTS).mkdir()
    (home.path / DataEntry.INSTRUMENTS / "own.toml").write_text("questions")
    return home.path


def read_irreplaceable(data_dir: Path) -> dict[str, bytes]:
    paths = [data_dir / entry for entry in IRREPLACEABLE]
    files = [file for path in paths for file in (path, *path.rglob("*"))]
    return {str(file): file.read_bytes() for file in files if file.is_file()}


@pytest.mark.parametrize(("entry", "harm"), CASES)
def test_nothing_disposable_stops_a_start(
    entry: DataEntry,
    harm: Callable[[Path], None],
    data_dir: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    before = read_irreplaceable(data_dir)
    harm(data_dir / entry)

    damage.run_unprivileged(partial(start, data_dir))

    assert read_irreplaceable(data_dir) == before
    messages = capfd.readouterr().err.splitlines()
    renamed = list_quarantined(data_dir)
    assert len(messages) == len(renamed) <= 1
    for path, message in zip(renamed, messages, strict=True):
        assert path.name in message
        assert str(data_dir / entry) in message
    if harm not in damage.OF_BYTES:
        assert len(renamed) == 1, "it was not set aside"
    # Another start has nothing left to complain about.
    damage.run_unprivileged(partial(start, data_dir))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("harm", [damage.put_folder, damage.fill_with_noise])
@pytest.mark.parametrize("entry", [DataEntry.PORTS, DataEntry.INSTANCE])
def test_a_draft_that_was_never_finished_is_no_obstacle(
    entry: DataEntry, harm: Callable[[Path], None], data_dir: Path
) -> None:
    harm(data_dir / draft_name(entry))

    start(data_dir)

    assert json.loads((data_dir / entry).read_text())


@pytest.mark.parametrize(
    "harm", [damage.put_folder, damage.put_pipe, damage.put_dangling_link]
)
@pytest.mark.parametrize("name", ["web.log", "web.log.1", "web.log.4"])
def test_a_log_is_no_obstacle(
    name: str, harm: Callable[[Path], None], data_dir: Path
) -> None:
    for number in ("", ".1", ".2", ".3", ".4"):
        (data_dir / DataEntry.LOGS / f"web.log{number}").write_text("line")
    harm(data_dir / DataEntry.LOGS / name)

    start(data_dir)
    start(data_dir)

    assert (data_dir / DataEntry.LOGS / "web.log").is_file()


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "null",
        '{"redis": "12345"}',
        '{"redis": 70000}',
        '{"redis": true}',
        '{"redis": -1}',
        '{"redis": [1]}',
        "[" * 100_000,
        '{"redis": 1e999}',
        "\x00",
    ],
)
def test_ports_that_make_no_sense_are_chosen_anew(content: str, data_dir: Path) -> None:
    (data_dir / DataEntry.PORTS).write_text(content)

    start(data_dir)

    ports = json.loads((data_dir / DataEntry.PORTS).read_text())
    assert ports.keys() == {"redis", "mailbox", "simulator"}
    assert len(list_quarantined(data_dir)) == 1


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{",
        '{"MOODMILES_PORT": 1}',
        '{"MOODMILES_PORT": "word"}',
        '{"MOODMILES_OF_ANOTHER_VERSION": "x"}',
        '{"MOODMILES_HOST": "a\\u0000b"}',
        '{"MOODMILES_HOST": "\\ud800"}',
        '{"": "x"}',
        '{"MOODMILES_REDIS_URL": "word"}',
    ],
)
def test_other_commands_bear_what_a_running_instance_left(
    content: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = data_dir / DataEntry.INSTANCE
    path.write_text(content)
    arguments = SimpleNamespace(data_dir=data_dir, host=None, port=None)

    settings = load_effective_settings(arguments)

    assert settings.port == 8000
    assert path.read_text() == content


def test_what_was_set_aside_is_bounded(data_dir: Path) -> None:
    for number in range(2 * MAX_QUARANTINED):
        (data_dir / DataEntry.PORTS).write_text(f"{number}")
        start(data_dir)

    contents = [path.read_text() for path in list_quarantined(data_dir)]
    assert contents == [str(MAX_QUARANTINED + n) for n in range(MAX_QUARANTINED)]


def test_a_lock_that_an_instance_holds_is_not_set_aside(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start_second() -> None:
        with pytest.raises(StartupError, match="Another instance"):
            start(data_dir)

    with lock_data_directory(data_dir):
        damage.run_unprivileged(start_second)
        (data_dir / DataEntry.LOCK).chmod(0o444)
        damage.run_unprivileged(start_second)


@pytest.mark.parametrize("entry", sorted(IRREPLACEABLE))
def test_what_is_irreplaceable_cannot_be_set_aside(
    entry: DataEntry, data_dir: Path
) -> None:
    damage.remove(data_dir / entry)
    (data_dir / entry).write_text("all there is")

    with pytest.raises(StartupError, match="never moved"):
        quarantine(data_dir / entry)

    assert (data_dir / entry).read_text() == "all there is"


def test_the_list_of_entries_is_whole(data_dir: Path) -> None:
    shutil.rmtree(data_dir / DataEntry.INSTRUMENTS)
    names = {path.name for path in data_dir.iterdir()}

    assert names <= set(DataEntry)
    assert not DISPOSABLE_FILES & IRREPLACEABLE
    known = DISPOSABLE_FOLDERS | DISPOSABLE_FILES | IRREPLACEABLE
    assert known == set(DataEntry)


SECRET_HARMS = [
    *damage.OF_FILES,
    *(
        pytest.param(lambda path, text=text: path.write_text(text), id=text[:20])
        for text in (
            "[]",
            "null",
            '{"secret_key": null}',
            '{"secret_key": ""}',
            '{"secret_key": "0123456789abcdef0123456789abcdef0123"}',
            '{"secret_key": 12}',
            '{"redis_password": ["x"]}',
            "[" * 100_000,
        )
    ),
]


@pytest.mark.parametrize("harm", SECRET_HARMS)
def test_damaged_secrets_are_named_and_left_alone(
    harm: Callable[[Path], None], data_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if harm is damage.give_away and os.geteuid():
        pytest.skip("only root gives files to another user")
    path = data_dir / DataEntry.SECRETS
    harm(path)
    before = path.lstat()

    def start_and_print() -> None:
        with pytest.raises(StartupError) as refusal:
            start(data_dir)
        sys.stdout.write(f"{refusal.value}\n")
        sys.stdout.flush()

    damage.run_unprivileged(start_and_print)

    sentence = capfd.readouterr().out
    assert str(path) in sentence
    assert "restore it from a backup" in sentence
    assert ("user read it" in sentence) == (harm in damage.OF_ACCESS)
    assert sentence.count("\n") == 1
    after = path.lstat()
    assert (after.st_ino, after.st_mode, after.st_size, after.st_mtime_ns) == (
        *(before.st_ino, before.st_mode, before.st_size, before.st_mtime_ns),
    )
    assert list_quarantined(data_dir) == []
