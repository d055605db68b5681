"""No question can be asked that no page shows: ours, and those that a host adds."""

import csv
import re
from collections.abc import Iterable
from html import unescape
from pathlib import Path

import pytest

from sync.analytics.panels.discovery import list_panels
from sync.portability.study_files import build_study_export
from sync.surveys.instruments import InstrumentLibrary, load_library
from sync.surveys.instruments.reading import Question, read_instrument
from sync.vocabulary import InstrumentKind
from tests.support.harness import Harness
from tests.support.page_fixtures import build_answered
from tests.support.question_answers import add_every_answer
from tests.web.conftest import PageClient

ASKED_AGAIN = [kind for kind in InstrumentKind if kind is not InstrumentKind.PAGE]
LEGS = """
id = "club-1"
kind = "focus"
title = "Ours"
[texts.de]
title = "Unsere"

[[questions]]
key = "legs"
text = "How do your legs feel?"
choices = { 0 = "Heavy", 1 = "So-so", 2 = "Feathers" }
[questions.texts.de]
text = "Wie geht es deinen Beinen?"
choices = { 0 = "Schwer", 1 = "Mittel", 2 = "Federn" }
"""
HOME = """
id = "home-1"
kind = "checkin-focus"
title = "At home"

[[questions]]
key = "home"
text = "Is it <b>tidy</b> at home?"
choices = { 0 = "No", 1 = "Yes" }
"""
ALWAYS = """
id = "run-900"
kind = "run"
title = "After a run"

[[questions]]
key = "mood"
text = "How do you feel right now?"
required = true
choices = { -2 = "Awful", -1 = "Low", 0 = "OK", 1 = "Good", 2 = "Great" }

[[questions]]
key = "weather"
text = "How was the weather?"
choices = { 0 = "Wet", 1 = "Dry" }
"""
HOSTS = {"legs": LEGS, "home": HOME, "weather": ALWAYS}


def list_unshown(library: InstrumentLibrary) -> set[str]:
    """Return the keys of the questions that neither a panel nor a host's page uses."""
    shown = {key for panel in list_panels() for key in panel.questions}
    shown |= {host_question.question.key for host_question in library.host_questions}
    return {question.key for question in list_questions(library)} - shown


def list_questions(library: InstrumentLibrary) -> Iterable[Question]:
    for kind in ASKED_AGAIN:
        for instrument in library.get_by_kind(kind):
            yield from instrument.questions


def test_every_question_of_ours_has_a_panel_that_uses_it() -> None:
    assert list_unshown(load_library()) == set()


def test_a_question_of_ours_without_a_panel_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "club.toml"
    path.write_text(LEGS)
    instrument = read_instrument(path)
    library = load_library()

    # As one of ours, and not as a host's: nothing shows it.
    with_legs = InstrumentLibrary({**library.instruments, instrument.id: instrument})
    ours = InstrumentLibraryOfOurs(with_legs.instruments)

    assert list_unshown(ours) == {"legs"}


class InstrumentLibraryOfOurs(InstrumentLibrary):
    """A library in which no question is a host's."""

    host_questions = ()


def test_the_questions_of_a_page_by_itself_are_who_fives() -> None:
    pages = load_library().get_by_kind(InstrumentKind.PAGE)

    assert [page.id.partition("-")[0] for page in pages] == ["who5"]


@pytest.fixture
def host_instruments(harness: Harness) -> None:
    folder = harness.runtime.settings.data_dir / "instruments"
    folder.mkdir(parents=True)
    for name, text in HOSTS.items():
        (folder / f"{name}.toml").write_text(text)


@pytest.fixture
def runner_id(harness: Harness, host_instruments: None, browser: PageClient) -> int:
    runner_id = build_answered(harness, 40).runner_id or 0
    add_every_answer(harness.runtime, runner_id)
    browser.sign_in(runner_id)
    return runner_id


@pytest.mark.usefixtures("runner_id")
@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("legs", "How do your legs feel?", "Feathers"),
        ("home", "Is it <b>tidy</b> at home?", "Yes"),
        ("weather", "How was the weather?", "Dry"),
    ],
)
def test_a_hosts_question_has_a_page_with_shares_and_distance(
    browser: PageClient, key: str, text: str, words: str
) -> None:
    listed = unescape(browser.open("/questions").text)
    page = browser.open(f"/questions/host_{key}").text
    numbers = browser.open(f"/questions/host_{key}/numbers.csv").text

    assert f'<a class="tap" href="/questions/host_{key}">' in listed
    assert "Asked by your host" in listed
    assert "Asked by the host of this instance, and not by Moodmiles." in page
    assert text in unescape(page)
    assert "<b>tidy</b>" not in page
    rows = list(csv.DictReader(numbers.splitlines()))
    shares = {row["name"]: row for row in rows if row["part"] == "share"}
    assert words in shares
    assert sum(float(row["value"]) for row in shares.values()) == pytest.approx(
        1, abs=0.001
    )
    assert [row["answers"] for row in rows if row["part"] == "link"] == ["40"]


@pytest.mark.usefixtures("runner_id")
def test_a_hosts_question_is_told_in_the_readers_language(browser: PageClient) -> None:
    browser.client.set_cookie("language", "de", domain="127.0.0.1")
    page = browser.client.get(
        "/questions/host_legs", headers={"Accept-Language": "de"}
    ).text

    assert "Wie geht es deinen Beinen?" in page
    assert "Federn" in page


def test_a_hosts_question_is_in_the_files_for_study(
    harness: Harness, runner_id: int
) -> None:
    with harness.runtime.db.read_only() as session:
        files = build_study_export(harness.runtime, session, runner_id)
    tables = {
        name: list(csv.DictReader(text.splitlines())) for name, text in files.items()
    }

    numbers = {row["question"]: row for row in tables["headline.csv"]}
    codes = {row["column"]: row for row in tables["codebook.csv"]}
    for key in HOSTS:
        assert key in tables["answers.csv"][0]
        assert numbers[f"host_{key}"]["n"] == "40"
        assert codes[key]["meaning"] == "the host's question"
        assert "the host's" in codes[f"host_{key}"]["meaning"]


@pytest.mark.usefixtures("runner_id")
def test_every_panel_of_ours_has_its_page(browser: PageClient) -> None:
    listed = set(
        re.findall(r'href="/questions/(\w+)"', browser.open("/questions").text)
    )

    # The hours that are drawn at random are asked of those who wish it alone.
    assert {panel.name for panel in list_panels()} - listed <= {"asked_delay"}
    for panel in list_panels():
        page = browser.open(f"/questions/{panel.name}")
        assert page.status_code == 200
        assert panel.title in unescape(page.text)
