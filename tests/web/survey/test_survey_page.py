"""The page behind a mail's link: looking writes nothing, Save records."""

import pytest
from sqlalchemy import func, select

from sync.analytics.dataset.overview import load_dashboard
from sync.analytics.dataset.run_rows import RunRow
from sync.models import Answer, Survey
from sync.runtime import Runtime
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.web.conftest import PageClient


@pytest.fixture
def survey_path(harness: Harness, runtime: Runtime) -> str:
    """Return the address in the survey mail of a linked runner's only run."""
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    run = harness.finish_run(athlete, distance_m=8200, ended_minutes_ago=0)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    return f"/s/{read_pending_token(runtime)}"


def list_answers(runtime: Runtime) -> int:
    with runtime.db.read_only() as session:
        return session.scalar(select(func.count(Answer.id))) or 0


def get_only_run(runtime: Runtime) -> RunRow:
    return load_dashboard(runtime, 1).runs[-1]


def test_a_tile_in_the_mail_is_selected_on_the_page(
    browser: PageClient, survey_path: str
) -> None:
    page = browser.open(f"{survey_path}?m=4")

    assert page.status_code == 200
    assert "How do you feel right now?" in page.text
    assert 'value="4" checked' in page.text
    assert "8.2" in page.text


@pytest.mark.parametrize("m", ["0", "6", "x", "4' onmouseover='", "-1", ""])
def test_an_odd_preselection_selects_nothing(
    browser: PageClient, survey_path: str, m: str
) -> None:
    page = browser.client.get(survey_path, query_string={"m": m})

    assert page.status_code == 200
    assert "checked" not in page.text


def test_opening_every_link_records_nothing(
    browser: PageClient, survey_path: str, runtime: Runtime
) -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        for tile in range(1, 6):
            browser.client.open(f"{survey_path}?m={tile}", method=method)

    assert list_answers(runtime) == 0


def test_save_records_without_cookie_or_form_token(
    browser: PageClient, survey_path: str, runtime: Runtime
) -> None:
    answer = browser.client.post(survey_path, data={"mood": "4"})
    saved = browser.open(answer.location)

    assert answer.status_code == 303
    assert "Saved: Good." in saved.text
    assert get_only_run(runtime).mood == 1


def test_an_answer_can_be_changed_and_completed(
    browser: PageClient, survey_path: str, runtime: Runtime
) -> None:
    browser.client.post(survey_path, data={"mood": "4"})
    browser.client.post(survey_path, data={"mood": "2"})
    browser.client.post(survey_path, data={"stress": "3"})

    page = browser.open(survey_path)

    assert get_only_run(runtime).answer_values == {"mood": -1, "stress": 3}
    assert 'value="3" aria-pressed="true"' in page.text
    assert list_answers(runtime) == 1


def test_the_page_needs_no_script(browser: PageClient, survey_path: str) -> None:
    asked = browser.open(survey_path)
    browser.client.post(survey_path, data={"mood": "4"})
    saved = browser.open(survey_path)

    assert "<script" not in asked.text + saved.text


@pytest.mark.parametrize(
    "fields",
    [{}, {"mood": "9"}, {"mood": "x"}, {"stress": "2"}, {"mood": "4", "energy": "7"}],
)
def test_what_is_no_answer_changes_nothing(
    browser: PageClient, survey_path: str, runtime: Runtime, fields: dict[str, str]
) -> None:
    answer = browser.client.post(survey_path, data=fields)

    assert answer.status_code == 400
    assert "not one of the answers" in answer.text
    assert list_answers(runtime) == 0


def test_skipping_closes_the_question(
    browser: PageClient, survey_path: str, runtime: Runtime
) -> None:
    browser.client.post(f"{survey_path}/skip")

    page = browser.open(survey_path)

    assert "Skipped." in page.text
    assert list_answers(runtime) == 0


def test_an_expired_link_says_so_to_its_holder(
    browser: PageClient, survey_path: str, harness: Harness, runtime: Runtime
) -> None:
    harness.advance_clock(hours=25)

    looked = browser.open(survey_path)
    posted = browser.client.post(survey_path, data={"mood": "4"})

    assert (looked.status_code, posted.status_code) == (410, 410)
    assert "This question has closed." in looked.text
    assert list_answers(runtime) == 0


def test_an_unknown_link_looks_like_a_mistyped_address(
    browser: PageClient, survey_path: str
) -> None:
    unknown, mistyped = browser.open("/s/wrong"), browser.open("/nowhere")

    assert unknown.status_code == mistyped.status_code == 404
    assert unknown.text == mistyped.text
    assert browser.client.post("/s/wrong", data={"mood": "4"}).status_code == 404
    assert browser.client.post("/s/wrong/skip").status_code == 404


def test_nobody_may_list_or_keep_the_page(
    browser: PageClient, survey_path: str
) -> None:
    headers = browser.open(survey_path).headers

    assert headers["X-Robots-Tag"] == "noindex, nofollow"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_half_of_the_runners_see_the_best_answer_first(
    browser: PageClient, survey_path: str, runtime: Runtime
) -> None:
    with runtime.db.transaction() as session:
        session.scalars(select(Survey)).one().reversed_order = True

    page = browser.open(survey_path).text

    assert page.index(">Great<") < page.index(">Awful<")


def test_a_line_for_oneself_is_kept_and_shown_to_its_runner_alone(
    browser: PageClient, survey_path: str
) -> None:
    browser.client.post(survey_path, data={"mood": "4"})
    kept = browser.client.post(f"{survey_path}/note", data={"note": "by the river"})
    to_anybody = browser.open(kept.location).text
    browser.sign_in(1)
    to_runner = browser.open(survey_path).text

    assert kept.status_code == 303
    assert "by the river" not in to_anybody
    assert "You kept a line." in to_anybody
    assert "by the river</textarea>" in to_runner


def test_a_line_that_is_too_long_is_not_lost(
    browser: PageClient, survey_path: str
) -> None:
    browser.client.post(survey_path, data={"mood": "4"})
    refused = browser.client.post(f"{survey_path}/note", data={"note": "x" * 281})

    assert refused.status_code == 400
    assert f"{'x' * 281}</textarea>" in refused.text
