"""A made-up file is taken in whole or refused in a sentence, never anything else."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.simulator import export as strava_export
from sync.simulator.export import UnreadableCsv
from tests.support.harness import Harness
from tests.support.paths import DATA
from tests.support.second_instance import (
    count_rows,
    open_second_instance,
    read_export,
    write_export,
)
from tests.sync.portability.test_hostile_files import get_refusal

pytestmark = pytest.mark.slow

MARK = "canary-4711"
GENUINE = DATA / "activities-small.csv"

cells = st.sampled_from(
    ("", MARK, "1e400", "nan", "-9", "\u0663", '"', "\x00", "x" * 9000)
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | cells,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def draw_changed_files(
    files: dict[str, bytes], draw: st.DataObject
) -> dict[str, bytes]:
    """Put something else into one place of one file, or into all of it."""
    name = draw.draw(st.sampled_from(sorted(n for n in files if n.endswith(".json"))))
    if draw.draw(st.integers(0, 5)) == 0:
        return files | {name: draw.draw(st.binary(max_size=99))}
    content = json.loads(files[name])
    rows = content if isinstance(content, list) else [content]
    if not rows:
        return files
    row = draw.draw(st.sampled_from(rows))
    row[draw.draw(st.sampled_from(sorted(row)))] = draw.draw(values)
    return files | {name: json.dumps(content).encode()}


def test_an_export_that_was_changed_is_taken_in_or_refused(
    harness: Harness,
    runner_id: int,
    sqlite_template: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    sent = read_export(harness.runtime, runner_id)

    with open_second_instance(harness, sqlite_template, tmp_path) as there:

        @settings(max_examples=50, deadline=None, database=None, derandomize=True)
        @given(st.data())
        def holds(draw: st.DataObject) -> None:
            had, file = (
                count_rows(there.runtime),
                write_export(tmp_path, draw_changed_files(sent, draw)),
            )
            said = get_refusal(there, file)
            assert MARK not in said
            assert not said or count_rows(there.runtime) == had

        holds()

    written = capfd.readouterr()
    assert MARK not in written.out + written.err


def read_archive(file: Path) -> bool:
    """Whether a file is read, or refused in a sentence."""
    try:
        activities = strava_export.read_export(file, athlete_id=1, zone="Europe/Berlin")
    except UnreadableCsv as error:
        return str(error).endswith(".")
    return all(activity.distance_m >= 0 for activity in activities)


def test_an_activities_file_that_was_changed_is_read_or_refused(tmp_path: Path) -> None:
    lines = GENUINE.read_text().splitlines()
    file = tmp_path / "activities.csv"

    @settings(max_examples=100, deadline=None, database=None, derandomize=True)
    @given(st.data())
    def holds(draw: st.DataObject) -> None:
        broken = [line.split(",") for line in lines]
        for _ in range(draw.draw(st.integers(1, 4))):
            line = draw.draw(st.sampled_from(broken))
            line[draw.draw(st.integers(0, len(line) - 1))] = draw.draw(cells)
        text = "\n".join(",".join(line) for line in broken).encode()
        file.write_bytes(draw.draw(st.just(text) | st.binary(max_size=300)))
        assert read_archive(file)

    holds()
