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
from sync.portability.archive import NotAnExport
from sync.portability.import_runner import bring_in
from sync.portability.schema import MOST_ROWS
from tests.support.harness import Stage
from tests.support.second_instance import another, counts, exported, zipped

pytestmark = pytest.mark.slow

Files: TypeAlias = dict[str, bytes]
Change: TypeAlias = Callable[[Files], None]
CANARY = "canary-0815"


@pytest.fixture
def there(stage: Stage, sqlite_template: Path, tmp_path: Path) -> Iterator[Stage]:
    with another(stage, sqlite_template, tmp_path) as other:
        yield other


def with_row(name: str, row: int = 0, /, **values: Any) -> Change:
    """Return a change of some values in one row of a table."""

    def change(files: Files) -> None:
        rows = json.loads(files[f"{name}.json"])
        rows[row].update(values)
        files[f"{name}.json"] = json.dumps(rows).encode()

    return change


def with_said(**values: Any) -> Change:
    def change(files: Files) -> None:
        rows = json.loads(files["answers.json"])
        rows[1]["said"].update(values)
        files["answers.json"] = json.dumps(rows).encode()

    return change


def with_account(**values: Any) -> Change:
    def change(files: Files) -> None:
        account = json.loads(files["account.json"])
        files["account.json"] = json.dumps({**account, **values}).encode()

    return change


def with_text(name: str, text: bytes) -> Change:
    return lambda files: files.update({name: text})


def without(name: str) -> Change:
    def change(files: Files) -> None:
        del files[name]

    return change


def twice(name: str) -> Change:
    def change(files: Files) -> None:
        rows = json.loads(files[f"{name}.json"])
        files[f"{name}.json"] = json.dumps(rows + rows[:1]).encode()

    return change


HOSTILE: dict[str, Change] = {
    "a file is missing": without("runs.json"),
    "the account is missing": without("account.json"),
    "an absolute path": with_text("/etc/passwd", b"x"),
    "a path that leads out": with_text("../../moodmiles.sqlite3", b"x"),
    "a path of Windows": with_text("C:\\autoexec.bat", b"x"),
    "too many files": lambda files: files.update(
        {f"study/{n}.csv": b"" for n in range(archive.MOST_FILES + 1)}
    ),
    "not JSON": with_text("runs.json", b"\x00\xff" + CANARY.encode()),
    "not a list": with_text("runs.json", b'{"id": 1}'),
    "not rows": with_text("runs.json", b'["canary-0815"]'),
    "deeper than any export": with_text("runs.json", b"[" * 100_000 + b"]" * 100_000),
    "more rows than an export has": with_text(
        "consents.json", b"[" + b"{}," * MOST_ROWS + b"{}]"
    ),
    "a number that is none": with_row("runs", distance_m=float("nan")),
    "a number without an end": with_text("draws.json", b'[{"probability": 1e999}]'),
    "a number that is none, deep inside": with_row("surveys", tags={"a": float("inf")}),
    "a number as text": with_row("runs", distance_m="8230.4"),
    "a truth as a number": with_row("runs", race=1),
    "a distance below zero": with_row("runs", distance_m=-1.0),
    "a run around the world": with_row("runs", distance_m=1e9),
    "a number beyond the database": with_row("runs", source_id=2**70),
    "a source that is none": with_row("runs", source=CANARY),
    "a time without a zone": with_row("runs", started_at="2026-04-01T10:00:00"),
    "a time before all runs": with_row("runs", started_at="0001-01-01T00:00:00+00:00"),
    "a day that never was": with_row("runs", local_day="2026-02-30"),
    "a text without an end": with_row("runs", sport="x" * 10_000),
    "a text with a zero": with_row("runs", device="a\x00b"),
    "half a character": with_text("consents.json", b'[{"version": "\\ud800"}]'),
    "a column too many": with_row("runs", canary_0815=1),
    "a decision about nothing": with_row("decisions", run_id=10**6),
    "an answer to nothing": with_row("answers", run_id=10**6),
    "a double of nothing": with_row("runs", duplicate_of=10**6),
    "a mail about nothing": with_row("mails", survey_id=10**6),
    "a run twice": twice("runs"),
    "an answer twice": twice("answers"),
    "a day drawn twice": twice("draws"),
    "two answers to one run": with_row("answers", 0, run_id=11),
    "a mood that is none": with_said(mood=99),
    "a mood as a half": with_said(mood=0.5),
    "no mood": with_row("answers", 1, said={"stress": 1}),
    "a question of nobody": with_said(**{"<script>": 1}),
    "a value beyond all scales": with_said(unheard_of=5000),
    "half an own log": with_said(own_distance_m=8200),
    "an own log of no day": with_said(
        own_distance_m=1, own_moving_s=1, own_day=-5, own_offset_s=0
    ),
    "an own log around the world": with_said(
        own_distance_m=10**7, own_moving_s=1, own_day=739_000, own_offset_s=0
    ),
    "tags that mislead": with_row("answers", 1, tags={"earlier_runs": CANARY}),
    "sessions without number": with_row("surveys", tags={"sessions": [CANARY]}),
    "another kind of export": with_account(format=2),
    "a zone of nowhere": with_account(zone="Europe/Canary-0815"),
    "preferences of another shape": with_account(preferences={"quiet_from": 5}),
    "quiet hours of no clock": with_account(preferences={"quiet_from": "25:99"}),
    "a way of asking that is none": with_account(preferences={"ask": CANARY}),
    "a pause without a zone": with_account(
        preferences={"paused_until": "2026-01-01T00:00:00"}
    ),
    "an athlete that is none": with_account(strava_athlete_id="7"),
}


def refusal(there: Stage, file: Path) -> str:
    """Return the sentence with which a file is refused; "" if it is taken in."""
    try:
        bring_in(there.runtime, file)
    except MoodmilesError as error:
        return str(error)
    return ""


def test_nothing_hostile_is_taken_in(
    stage: Stage, runner_id: int, there: Stage, tmp_path: Path
) -> None:
    sent = exported(stage.runtime, runner_id)
    before = counts(there.runtime)
    said = {}

    for name, change in HOSTILE.items():
        files = dict(sent)
        change(files)
        said[name] = refusal(there, zipped(tmp_path, files))

    assert [name for name, sentence in said.items() if not sentence] == []
    for sentence in said.values():
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert "canary" not in sentence.lower()
        assert len(sentence) < 200
    assert counts(there.runtime) == before
    assert refusal(there, zipped(tmp_path, sent)) == ""


def test_a_small_file_that_unpacks_to_a_huge_one_is_not_unpacked(
    there: Stage, tmp_path: Path
) -> None:
    file = tmp_path / "bomb.zip"
    with ZipFile(file, "w", ZIP_DEFLATED) as bomb:
        with bomb.open("account.json", "w", force_zip64=True) as inside:
            for _ in range(archive.MOST_UNPACKED // (1 << 20) + 1):
                inside.write(b" " * (1 << 20))
        for name in ("runs", "surveys", "answers", "decisions"):
            bomb.writestr(f"{name}.json", "[]")

    assert file.stat().st_size < 2_000_000
    assert "unpacks to more" in refusal(there, file)


def test_a_file_that_lies_about_its_sizes_is_refused(
    stage: Stage, runner_id: int, there: Stage, tmp_path: Path
) -> None:
    sent = exported(stage.runtime, runner_id)
    before = counts(there.runtime)
    file = zipped(tmp_path, {"account.json": sent["account.json"], **sent})
    for offset in (18, 22):  # packed and unpacked size in the first header
        packed = bytearray(file.read_bytes())
        packed[offset : offset + 4] = struct.pack("<I", 5)
        first = packed.index(b"PK\x01\x02") + offset + 2
        packed[first : first + 4] = struct.pack("<I", 5)
        file.write_bytes(packed)
        assert refusal(there, file)

    assert counts(there.runtime) == before


@pytest.mark.parametrize("content", [b"", b"PK", b"no ZIP at all", None])
def test_what_is_no_zip_is_named(
    there: Stage, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "file.zip"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(NotAnExport, match=r"file\.zip"):
        bring_in(there.runtime, file)


def test_an_encrypted_file_is_named(
    stage: Stage, runner_id: int, there: Stage, tmp_path: Path
) -> None:
    file = zipped(tmp_path, exported(stage.runtime, runner_id))
    packed = bytearray(file.read_bytes())
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    file.write_bytes(packed)

    assert "encrypted" in refusal(there, file)
