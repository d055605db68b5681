"""A panel is added by one file: docs/adding.md, "A panel"."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.analytics import load_figures, panels
from sync.analytics.panels.discovery import list_panels
from sync.portability.study_files import build_codebook
from sync.runners import sign_in
from tests.support.paths import ROOT
from tests.sync.analytics.runner_data import RunnerData
from web.app import create_app

GUIDE = ROOT / "docs" / "adding.md"
NAME = "treadmill"


def read_example() -> str:
    """Return the first block of Python in the guide's section about panels."""
    section = GUIDE.read_text().partition("## A panel\n")[2].partition("\n## ")[0]
    block = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert block
    return block[1]


@pytest.fixture
def added_panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lay the guide's example beside the panels, in a folder of its own."""
    (tmp_path / f"{NAME}.py").write_text(read_example())
    monkeypatch.setattr(panels, "__path__", [*panels.__path__, str(tmp_path)])
    list_panels.cache_clear()
    yield
    list_panels.cache_clear()
    sys.modules.pop(f"{panels.__name__}.{NAME}", None)


@pytest.fixture
def treadmill_runner(runner_data: RunnerData) -> RunnerData:
    for number in range(1, 41):
        runner_data.add_run(number, 5, number % 3, treadmill=number % 2 == 0)
    return runner_data


def test_without_its_file_there_is_no_such_panel() -> None:
    assert NAME not in [panel.name for panel in list_panels()]


@pytest.mark.usefixtures("added_panel")
def test_its_numbers_and_its_sentence_are_computed(
    treadmill_runner: RunnerData,
) -> None:
    figures = load_figures(treadmill_runner.runtime, treadmill_runner.runner_id)

    panel = figures.exploratory[-1]
    assert (panel.name, panel.answer_count) == (NAME, 40)
    assert panel.difference is not None
    assert panel.decision is not None
    assert panel.sentence == "No clear difference so far on the treadmill."
    assert len(panel.contributing_runs["first"]) == 20
    assert "we look at 17 such pictures" in figures.notes[0]


@pytest.mark.usefixtures("added_panel")
def test_it_stands_on_the_dashboard_and_in_its_data(
    treadmill_runner: RunnerData,
) -> None:
    runtime, runner_id = treadmill_runner.runtime, treadmill_runner.runner_id
    client = create_app(runtime).test_client()
    token = sign_in.sign_in(runtime, runner_id)
    client.set_cookie("moodmiles", token, domain="127.0.0.1")

    page = client.get("/dashboard").text
    data = client.get("/dashboard/panels.csv").text
    listed = client.get(f"/dashboard?group={NAME}.first").text

    assert "Treadmill and outdoors" in page
    assert "20 on the treadmill" in page
    assert "Treadmill and outdoors,40," in data
    assert "“Treadmill and outdoors”: on the treadmill." in listed


@pytest.mark.usefixtures("added_panel")
def test_it_is_in_the_files_for_study(treadmill_runner: RunnerData) -> None:
    rows = treadmill_runner.read_study_table("headline.csv")

    by_question = {row["question"]: row for row in rows}
    assert list(by_question)[:3] == ["after_runs", "mileage", "stress"]
    assert by_question[NAME]["n"] == "40"
    assert ("headline.csv", NAME, "steps") in [line[:3] for line in build_codebook()]


@pytest.mark.usefixtures("added_panel")
def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    (tmp_path / "again.py").write_text(read_example())
    list_panels.cache_clear()

    with pytest.raises(ValueError, match="the same name"):
        list_panels()
    sys.modules.pop(f"{panels.__name__}.again")
