"""A runner's own page, in each of its states, and the numbers behind it."""

import csv
import io

import pytest

from sync.models import Connection
from sync.runners import preferences
from sync.runtime import Runtime
from tests.support.harness import Harness
from tests.support.run_history import add_answered_runs
from tests.web.conftest import PageClient


def answer_run(browser: PageClient, run_id: int, mood: int) -> int:
    """Choose a mood (1 to 5) on the dashboard; return the status."""
    fields = {"run_id": run_id, "mood": mood}
    return browser.post("/dashboard/answer", **fields).status_code


def add_fresh_run(browser: PageClient, harness: Harness, **fields: float) -> int:
    """Let the signed-in runner finish a run an hour ago; return our id."""
    athlete = harness.world.athletes.get(7) or harness.add_athlete()
    run = harness.finish_run(athlete, ended_minutes_ago=60, **fields)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    data = browser.open("/dashboard/data.json").json
    assert data
    return int(data["runs"][-1]["run_id"])


def read_table(browser: PageClient, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(browser.open(path).text)))


def test_a_newcomer_sees_the_import_going_on(
    browser: PageClient, harness: Harness
) -> None:
    athlete = harness.add_athlete()
    harness.finish_run(athlete, ended_minutes_ago=60 * 48)
    browser.sign_in(harness.link_runner(athlete))

    before = browser.open("/dashboard")
    first = browser.open("/dashboard/progress.json").json
    harness.process_all_due()
    after = browser.open("/dashboard/progress.json").json

    assert "Bringing in your runs" in before.text
    assert "<noscript>" in before.text
    assert first
    assert after
    assert (first["is_done"], after["is_done"], after["runs"]) == (False, True, 1)


def test_without_runs_the_page_says_what_comes_next(
    browser: PageClient, harness: Harness
) -> None:
    browser.sign_in(harness.link_runner(harness.add_athlete()))
    harness.process_all_due()

    page = browser.open("/dashboard").text

    assert "All set. Go for a run." in page
    assert "made-up data" in page


@pytest.mark.usefixtures("runner_id")
def test_history_without_answers_asks_for_the_first(browser: PageClient) -> None:
    page = browser.open("/dashboard").text

    assert "Your runs are in. Add your first mood." in page
    assert "8.2" in page
    assert "Before you connected" in page
    assert "made-up data" in page


@pytest.mark.usefixtures("runner_id")
def test_todays_run_is_answered_in_place(browser: PageClient, harness: Harness) -> None:
    run_id = add_fresh_run(browser, harness, distance_m=5000.0)

    asked = browser.open("/dashboard").text
    status = answer_run(browser, run_id, 5)
    answered = browser.open("/dashboard").text

    assert "How do you feel right now?" in asked
    assert status == 303
    assert "How do you feel right now?" not in answered
    assert "Not enough yet: 1 of 15 runs." in answered
    assert 'class="dots m5"' in answered
    assert "Change this answer" in answered


@pytest.mark.usefixtures("runner_id")
def test_an_answer_reaches_every_table(browser: PageClient, harness: Harness) -> None:
    answer_run(browser, add_fresh_run(browser, harness), 2)

    runs = read_table(browser, "/dashboard/runs.csv")
    answers = read_table(browser, "/dashboard/answers.csv")
    data = browser.open("/dashboard/data.json").json

    assert [row["mood"] for row in runs] == ["", "-1"]
    assert [(row["mood"], row["mood_label"]) for row in answers] == [("-1", "Low")]
    assert data
    assert (data["answered"], len(data["runs"])) == (1, 2)


@pytest.mark.usefixtures("runner_id")
@pytest.mark.parametrize(
    "fields",
    [{}, {"run_id": "x", "mood": "4"}, {"run_id": "2", "mood": "9"}, {"run_id": "2"}],
)
def test_what_is_no_answer_is_refused(
    browser: PageClient, harness: Harness, fields: dict[str, str]
) -> None:
    add_fresh_run(browser, harness)

    answer = browser.post("/dashboard/answer", **fields)

    assert answer.status_code == 400
    assert read_table(browser, "/dashboard/answers.csv") == []


def test_runs_of_others_and_old_runs_take_no_answer(
    browser: PageClient, runner_id: int, harness: Harness
) -> None:
    run_id = add_fresh_run(browser, harness)
    harness.advance_clock(days=2)
    old = answer_run(browser, run_id, 4)
    browser.sign_in(harness.link_runner(harness.add_athlete(8)))

    foreign = answer_run(browser, run_id, 4)

    assert (old, foreign) == (410, 410)


def test_miles_are_used_everywhere(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    preferences.save_preferences(runtime, runner_id, {"units": "mi"})

    page = browser.open("/dashboard").text

    assert "5.1\N{NO-BREAK SPACE}mi" in page
    assert "\N{NO-BREAK SPACE}km" not in page.split("made-up data")[0]


@pytest.mark.parametrize(("days", "usual"), [(60, "55 km in a usual week"), (40, "")])
def test_the_last_days_are_set_beside_ones_own_usual(
    browser: PageClient, harness: Harness, runtime: Runtime, days: int, usual: str
) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    browser.sign_in(runner_id)
    add_answered_runs(runtime, runner_id, [1] * days, [8.0])

    page = browser.open("/dashboard").text.replace("\N{NO-BREAK SPACE}", " ")

    assert usual in page
    assert ("in a usual week" in page) is bool(usual)


def test_a_broken_link_is_said_with_a_way_back(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    with runtime.db.transaction() as session:
        session.get_one(Connection, runner_id).broken_at = runtime.now()

    page = browser.open("/dashboard").text

    assert "Strava is disconnected." in page
    assert 'href="/connect"' in page


def test_a_missing_address_is_said(browser: PageClient, harness: Harness) -> None:
    browser.sign_in(harness.link_runner(harness.add_athlete(), has_address=False))

    page = browser.open("/dashboard").text

    assert "No confirmed address yet." in page


@pytest.mark.usefixtures("runner_id")
@pytest.mark.parametrize("page", ["0", "-1", "99", "x", ""])
def test_an_odd_page_number_shows_some_page(browser: PageClient, page: str) -> None:
    answer = browser.client.get("/dashboard", query_string={"page": page})

    assert answer.status_code == 200


@pytest.mark.usefixtures("runner_id")
def test_large_answers_are_compressed_on_request(browser: PageClient) -> None:
    packed = browser.client.get("/dashboard", headers={"Accept-Encoding": "gzip"})
    plain = browser.open("/dashboard")

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert len(packed.data) < len(plain.data) / 2


@pytest.mark.usefixtures("runner_id")
@pytest.mark.parametrize("path", ["/settings", "/email", "/connect", "/help"])
def test_pages_with_forms_for_words_tell_nothing_by_their_size(
    browser: PageClient, path: str
) -> None:
    answer = browser.client.get(path, headers={"Accept-Encoding": "gzip"})

    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers
