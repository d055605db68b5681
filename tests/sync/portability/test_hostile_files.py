"""A file from somewhere else is refused in a sentence, and nothing of it is kept."""

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from sync.errors import MoodmilesError
from sync.portability import archive
from sync.portability.archive import InvalidExport
from sync.portability.import_runner import import_runner
from sync.portability.rows import MAX_ROWS
from tests.support.harness import Harness
from tests.support.second_instance import (
    count_rows,
    open_second_instance,
    read_export,
    write_export,
)

pytestmark = pytest.mark.slow

Files: TypeAlias = dict[str, bytes]
Change: TypeAlias = Callable[[Files], None]
CANARY = "canary-0815"


@pytest.fixture
def second_instance(
    harness: Harness, sqlite_template: Path, tmp_path: Path
) -> Iterator[Harness]:
    with open_second_instance(harness, sqlite_template, tmp_path) as other:
        yield other


def replace_row(name: str, row: int = 0, /, **values: Any) -> Change:
    """Return a change of some values in one row of a table."""

    def change(files: Files) -> None:
        rows = json.loads(files[f"{name}.json"])
        rows[row].update(values)
        files[f"{name}.json"] = json.dumps(rows).encode()

    return change


def replace_answer_values(**values: Any) -> Change:
    def change(files: Files) -> None:
        rows = json.loads(files["answers.json"])
        rows[1]["said"].update(values)
        files["answers.json"] = json.dumps(rows).encode()

    return change


def replace_account(**values: Any) -> Change:
    def change(files: Files) -> None:
        account = json.loads(files["account.json"])
        files["account.json"] = json.dumps({**account, **values}).encode()

    return change


def replace_text(name: str, text: bytes) -> Change:
    return lambda files: files.update({name: text})


def remove_file(name: str) -> Change:
    def change(files: Files) -> None:
        del files[name]

    return change


def duplicate_file(name: str) -> Change:
    def change(files: Files) -> None:
        rows = json.loads(files[f"{name}.json"])
        files[f"{name}.json"] = json.dumps(rows + rows[:1]).encode()

    return change


HOSTILE: dict[str, Change] = {
    "a file is missing": remove_file("runs.json"),
    "the account is missing": remove_file("account.json"),
    "an absolute path": replace_text("/etc/passwd", b"x"),
    "a path that leads out": replace_text("../../moodmiles.sqlite3", b"x"),
    "a path of Windows": replace_text("C:\\autoexec.bat", b"x"),
    "too many files": lambda files: files.update(
        {f"study/{n}.csv": b"" for n in range(archive.MAX_FILES + 1)}
    ),
    "not JSON": replace_text("runs.json", b"\x00\xff" + CANARY.encode()),
    "not a list": replace_text("runs.json", b'{"id": 1}'),
    "not rows": replace_text("runs.json", b'["canary-0815"]'),
    "deeper than any export": replace_text(
        "runs.json", b"[" * 100_000 + b"]" * 100_000
    ),
    "more rows than an export has": replace_text(
        "consents.json", b"[" + b"{}," * MAX_ROWS + b"{}]"
    ),
    "a number that is none": replace_row("runs", distance_m=float("nan")),
    "a number without an end": replace_text("draws.json", b'[{"probability": 1e999}]'),
    "a number that is none, deep inside": replace_row(
        "surveys", tags={"a": float("inf")}
    ),
    "a number as text": replace_row("runs", distance_m="8230.4"),
    "a truth as a number": replace_row("runs", race=1),
    "a distance below zero": replace_row("runs", distance_m=-1.0),
    "a run around the world": replace_row("runs", distance_m=1e9),
    "a number beyond the database": replace_row("runs", source_id=2**70),
    "a source that is none": replace_row("runs", source=CANARY),
    "a time without a zone": replace_row("runs", started_at="2026-04-01T10:00:00"),
    "a time before all runs": replace_row(
        "runs", started_at="0001-01-01T00:00:00+00:00"
    ),
    "an answer still to come": replace_row(
        "answers", answered_at="2031-05-05T08:00:00+00:00"
    ),
    "a mail sent in the future": replace_row(
        "mails", sent_at="2031-05-05T08:00:00+00:00"
    ),
    "a run fetched in the future": replace_row(
        "runs", fetched_at="2031-05-05T08:00:00+00:00"
    ),
    "an account of tomorrow's": replace_account(created_at="2031-05-05T08:00:00+00:00"),
    "a day that never was": replace_row("runs", local_day="2026-02-30"),
    "a text without an end": replace_row("runs", sport="x" * 10_000),
    "a text with a zero": replace_row("runs", device="a\x00b"),
    "half a character": replace_text("consents.json", b'[{"version": "\\ud800"}]'),
    "a column too many": replace_row("runs", canary_0815=1),
    "a decision about nothing": replace_row("decisions", run_id=10**6),
    "an answer to nothing": replace_row("answers", run_id=10**6),
    "a double of nothing": replace_row("runs", duplicate_of=10**6),
    "a mail about nothing": replace_row("mails", survey_id=10**6),
    "a run twice": duplicate_file("runs"),
    "an answer twice": duplicate_file("answers"),
    "a day drawn twice": duplicate_file("draws"),
    "two answers to one run": replace_row("answers", 0, run_id=11),
    "a mood that is none": replace_answer_values(mood=99),
    "a mood as a half": replace_answer_values(mood=0.5),
    "no mood": replace_row("answers", 1, said={"stress": 1}),
    "a question of nobody": replace_answer_values(**{"<script>": 1}),
    "a value beyond all scales": replace_answer_values(unheard_of=5000),
    "half an own log": replace_answer_values(own_distance_m=8200),
    "an own log of no day": replace_answer_values(
        own_distance_m=1, own_moving_s=1, own_day=-5, own_offset_s=0
    ),
    "an own log around the world": replace_answer_values(
        own_distance_m=10**7, own_moving_s=1, own_day=739_000, own_offset_s=0
    ),
    "tags that mislead": replace_row("answers", 1, tags={"earlier_runs": CANARY}),
    "sessions without number": replace_row("surveys", tags={"sessions": [CANARY]}),
    "another kind of export": replace_account(format=2),
    "a zone of nowhere": replace_account(zone="Europe/Canary-0815"),
    "preferences of another shape": replace_account(preferences={"quiet_from": 5}),
    "quiet hours of no clock": replace_account(preferences={"quiet_from": "25:99"}),
    "a way of asking that is none": replace_account(preferences={"ask": CANARY}),
    "a pause without a zone": replace_account(
        preferences={"paused_until": "2026-01-01T00:00:00"}
    ),
    "an athlete that is none": replace_account(strava_athlete_id="7"),
}


def get_refusal(second_instance: Harness, file: Path) -> str:
    """Return the sentence with which a file is refused; "" if it is taken in."""
    try:
        import_runner(second_instance.runtime, file)
    except MoodmilesError as error:
        return str(error)
    return ""


def test_nothing_hostile_is_taken_in(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    sent = read_export(harness.runtime, runner_id)
    before = count_rows(second_instance.runtime)
    said = {}

    for name, change in HOSTILE.items():
        files = dict(sent)
        change(files)
        said[name] = get_refusal(second_instance, write_export(tmp_path, files))

    assert [name for name, sentence in said.items() if not sentence] == []
    for sentence in said.values():
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert "canary" not in sentence.lower()
        assert len(sentence) < 200
    assert count_rows(second_instance.runtime) == before
    assert get_refusal(second_instance, write_export(tmp_path, sent)) == ""


def test_a_small_file_that_unpacks_to_a_huge_one_is_not_unpacked(
    second_instance: Harness, tmp_path: Path
) -> None:
    file = tmp_path / "bomb.zip"
    with ZipFile(file, "w", ZIP_DEFLATED) as bomb:
        with bomb.open("account.json", "w", force_zip64=True) as inside:
            for _ in range(archive.MAX_UNPACKED_BYTES // (1 << 20) + 1):
                inside.write(b" " * (1 << 20))
        for name in ("runs", "surveys", "answers", "decisions"):
            bomb.writestr(f"{name}.json", "[]")

    assert file.stat().st_size < 2_000_000
    assert "unpacks to more" in get_refusal(second_instance, file)


def test_a_file_that_lies_about_its_sizes_is_refused(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    sent = read_export(harness.runtime, runner_id)
    before = count_rows(second_instance.runtime)
    file = write_export(tmp_path, {"account.json": sent["account.json"], **sent})
    for offset in (18, 22):  # packed and unpacked size in the first header
        packed = bytearray(file.read_bytes())
        packed[offset : offset + 4] = struct.pack("<I", 5)
        first = packed.index(b"PK\x01\x02") + offset + 2
        packed[first : first + 4] = struct.pack("<I", 5)
        file.write_bytes(packed)
        assert get_refusal(second_instance, file)

    assert count_rows(second_instance.runtime) == before


@pytest.mark.parametrize("content", [b"", b"PK", b"no ZIP at all", None])
def test_what_is_no_zip_is_named(
    second_instance: Harness, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "file.zip"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(InvalidExport, match=r"file\.zip"):
        import_runner(second_instance.runtime, file)


def test_an_encrypted_file_is_named(
    harness: Harness, runner_id: int, second_instance: Harness, tmp_path: Path
) -> None:
    file = write_export(tmp_path, read_export(harness.runtime, runner_id))
    packed = bytearray(file.read_bytes())
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    file.write_bytes(packed)

    assert "encrypted" in get_refusal(second_instance, file)
