"""The host's tools for runners: numbers and states, an export, a deletion."""

import io
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import pytest

from host import runners
from host.errors import StartupError
from sync.errors import MoodmilesError
from sync.models import Connection, Runner
from sync.runners import disconnect, sign_in
from tests.support.harness import Harness
from tests.support.second_instance import open_second_instance


def test_the_list_shows_states_and_nothing_of_strava(harness: Harness) -> None:
    linked = harness.link_runner(harness.add_athlete(7))
    unconfirmed = harness.link_runner(harness.add_athlete(8), has_address=False)
    disconnected_id = harness.link_runner(harness.add_athlete(9))
    bounced = harness.link_runner(harness.add_athlete(10))
    with harness.runtime.db.transaction() as session:
        session.delete(session.get_one(Connection, disconnected_id))
        session.get_one(Connection, unconfirmed).broken_at = harness.clock()
        session.get_one(Runner, bounced).email_bounced_at = harness.clock()

    _, *lines = runners.list_runners(harness.runtime)

    day = f"{harness.clock():%Y-%m-%d}"
    assert [line.split() for line in lines] == [
        [str(linked), day, "connected", "confirmed"],
        [str(unconfirmed), day, "broken", "not", "confirmed"],
        [str(disconnected_id), day, "disconnected", "confirmed"],
        [str(bounced), day, "connected", "bounced"],
    ]


def test_an_export_is_a_private_file(harness: Harness, folder: Path) -> None:
    runner_id = harness.link_runner(harness.add_athlete())

    runners.export_runner(harness.runtime, runner_id, folder / "runner.zip")

    file = folder / "runner.zip"
    names = ZipFile(file).namelist()
    assert {
        "account.json",
        "runs.json",
        "study/headline.csv",
        "study/codebook.csv",
    } <= set(names)
    assert file.stat().st_mode & 0o077 == 0


def test_an_export_overwrites_nothing(harness: Harness, folder: Path) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    (folder / "runner.zip").touch()

    with pytest.raises(StartupError, match=r"runner\.zip cannot be written"):
        runners.export_runner(harness.runtime, runner_id, folder / "runner.zip")


def test_an_export_is_taken_in_elsewhere(
    harness: Harness,
    folder: Path,
    sqlite_template: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    runners.export_runner(harness.runtime, runner_id, folder / "runner.zip")

    with open_second_instance(harness, sqlite_template, tmp_path) as there:
        runners.import_file(there.runtime, folder / "runner.zip", runner_id=None)
        runners.import_file(there.runtime, folder / "runner.zip", runner_id=1)
        listed = list(runners.list_runners(there.runtime))

    output = capsys.readouterr().out
    assert "Runner 1: 0 runs in the file, 0 answers added." in output
    assert output.count("They sign in with Strava") == 1
    assert len(listed) == 2


def test_who_left_strava_is_told_to_come_by_mail(
    harness: Harness,
    folder: Path,
    sqlite_template: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    by_mail, by_nothing = (
        harness.link_runner(harness.add_athlete()),
        harness.link_runner(harness.add_athlete(8)),
    )
    with harness.runtime.db.transaction() as session:
        session.get_one(Runner, by_nothing).email = None
    for runner_id in (by_mail, by_nothing):
        disconnect.disconnect(harness.runtime, runner_id)
        runners.export_runner(harness.runtime, runner_id, folder / f"{runner_id}.zip")

    with open_second_instance(harness, sqlite_template, tmp_path) as there:
        for runner_id in (by_mail, by_nothing):
            runners.import_file(
                there.runtime, folder / f"{runner_id}.zip", runner_id=None
            )

    output = capsys.readouterr().out
    assert "A mail asks their address to confirm itself" in output
    assert "nobody can sign in" in output


def test_a_deletion_is_asked_about(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))

    with pytest.raises(MoodmilesError, match="Nothing was deleted"):
        runners.delete_runner(harness.runtime, runner_id, is_confirmed=False)

    assert len(list(runners.list_runners(harness.runtime))) == 2


@pytest.mark.parametrize(("sure", "typed"), [(True, ""), (False, "yes\n")])
def test_a_deletion_leaves_nothing(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, *, sure: bool, typed: str
) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))

    runners.delete_runner(harness.runtime, runner_id, is_confirmed=sure)

    assert len(list(runners.list_runners(harness.runtime))) == 1


@pytest.mark.parametrize("command", ["runner export", "runner delete"])
def test_an_unknown_runner_is_named(
    command: str, harness: Harness, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        runners, "load_effective_settings", lambda _: harness.runtime.settings
    )
    arguments = SimpleNamespace(
        command=command, runner=404, file=folder / "x.zip", yes=True
    )

    with pytest.raises(MoodmilesError, match=r"There is no runner 404\."):
        runners.run(arguments)


@pytest.mark.parametrize(
    ("everybody", "still_in"), [(False, [False, True]), (True, [False, False])]
)
def test_browsers_are_signed_out_for_one_or_for_all(
    harness: Harness, everybody: bool, still_in: list[bool]
) -> None:
    ids = [harness.link_runner(harness.add_athlete(number)) for number in (7, 8)]
    tokens = [sign_in.sign_in(harness.runtime, runner_id) for runner_id in ids]

    runners.sign_out_runner(harness.runtime, None if everybody else ids[0])

    now_in = [
        sign_in.find_signed_in(harness.runtime, token) is not None for token in tokens
    ]
    assert now_in == still_in


def test_nobody_is_signed_out_for_a_number_that_is_not_there(harness: Harness) -> None:
    with pytest.raises(MoodmilesError, match="There is no runner 99"):
        runners.sign_out_runner(harness.runtime, 99)
