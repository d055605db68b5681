"""The field for a line, where it is written, read, searched and refused."""

import pytest
from sqlalchemy import select

from sync.models import Answer, AnswerNote
from sync.runtime import Runtime
from tests.support.harness import Harness
from tests.web.conftest import PageClient
from tests.web.dashboard.test_dashboard import add_fresh_run

TOO_LONG = "x" * 281


@pytest.fixture
def run_id(browser: PageClient, harness: Harness, runner_id: int) -> int:
    """Sign in a runner who has just answered about a run."""
    assert runner_id
    run_id = add_fresh_run(browser, harness)
    browser.post(f"/runs/{run_id}", mood=4)
    return run_id


def count_notes(runtime: Runtime) -> int:
    with runtime.db.read_only() as session:
        return len(session.scalars(select(AnswerNote.answer_id)).all())


def test_a_line_is_written_read_changed_and_removed(
    browser: PageClient, runtime: Runtime, run_id: int
) -> None:
    kept = browser.post(f"/runs/{run_id}/note", note="  windy <b>\n by the river ")
    on_run_page = browser.open(f"/runs/{run_id}").text
    on_own_page = browser.open("/notes").text
    with runtime.db.read_only() as session:
        answer_id = session.scalars(
            select(Answer.id).where(Answer.run_id == run_id)
        ).one()
    browser.post(f"/notes/{answer_id}", note="sunny after all")
    changed = browser.open(f"/runs/{run_id}").text
    browser.post(f"/notes/{answer_id}", note="")

    assert kept.location == f"/runs/{run_id}"
    assert "windy &lt;b&gt; by the river</textarea>" in on_run_page
    assert "windy &lt;b&gt; by the river" in on_own_page
    assert f'href="/runs/{run_id}"' in on_own_page
    assert "sunny after all</textarea>" in changed
    assert count_notes(runtime) == 0
    assert "Nothing yet." in browser.open("/notes").text


def test_a_line_that_is_too_long_stays_in_its_field(
    browser: PageClient, runtime: Runtime, run_id: int
) -> None:
    browser.post(f"/runs/{run_id}/note", note="short")
    with runtime.db.read_only() as session:
        answer_id = session.scalars(select(AnswerNote.answer_id)).one()

    for path in (f"/runs/{run_id}/note", f"/notes/{answer_id}"):
        refused = browser.post(path, note=TOO_LONG)

        assert refused.status_code == 400
        assert "A line has at most 280 characters." in refused.text
        assert f"{TOO_LONG}</textarea>" in refused.text
    assert "short</textarea>" in browser.open(f"/runs/{run_id}").text


def test_a_search_leaves_no_address_and_finds_by_words(
    browser: PageClient, run_id: int
) -> None:
    browser.post(f"/runs/{run_id}/note", note="windy by the river")

    found = browser.post("/notes", words="River")
    missed = browser.post("/notes", words="mountain")

    assert "windy by the river" in found.text
    assert 'method="post" action="/notes"' in found.text
    assert "windy" not in missed.text
    assert "No line holds these words." in missed.text


def test_the_list_of_runs_shows_lines_only_on_wish(
    browser: PageClient, run_id: int
) -> None:
    browser.post(f"/runs/{run_id}/note", note="windy by the river")

    plain = browser.open("/dashboard").text
    with_lines = browser.open("/dashboard?notes=1").text

    assert "windy" not in plain
    assert '<td class="own-line">windy by the river</td>' in with_lines


def test_a_line_needs_an_answer(
    browser: PageClient, harness: Harness, runtime: Runtime, runner_id: int
) -> None:
    assert runner_id
    unanswered = add_fresh_run(browser, harness)

    responses = [
        browser.post(f"/runs/{unanswered}/note", note="too early"),
        browser.post("/notes/999999", note="of nothing"),
    ]

    assert [response.status_code for response in responses] == [400, 400]
    assert all("There is no answer for this line." in page.text for page in responses)
    assert count_notes(runtime) == 0
