"""A run's own page: facts, why it was asked about or not, and the answer."""

import pytest
from sqlalchemy import select

from sync.models import Answer, Run
from sync.runners import store as runners
from sync.runtime import Runtime
from tests.support.harness import Harness
from tests.web.conftest import PageClient
from tests.web.dashboard.test_dashboard import add_fresh_run


def list_answers(runtime: Runtime) -> list[int | None]:
    with runtime.db.read_only() as session:
        return list(session.scalars(select(Answer.run_id)))


@pytest.mark.usefixtures("runner_id")
def test_a_run_shows_its_facts_and_why_it_was_not_asked_about(
    browser: PageClient, runtime: Runtime
) -> None:
    with runtime.db.read_only() as session:
        run = session.scalars(select(Run)).one()

    page = browser.open(f"/runs/{run.id}").text

    assert "8.2\N{NO-BREAK SPACE}km" in page
    assert "45\N{NO-BREAK SPACE}min" in page
    assert "No survey: it was run before you linked Strava." in page
    assert f"/activities/{run.source_id}" in page
    assert "View on Strava" in page
    assert "A run can be answered for 24 hours." in page


@pytest.mark.usefixtures("runner_id")
def test_a_fresh_run_is_answered_changed_and_added_to(
    browser: PageClient, harness: Harness
) -> None:
    run_id = add_fresh_run(browser, harness)

    before = browser.open(f"/runs/{run_id}").text
    first = browser.post(f"/runs/{run_id}", mood=2)
    browser.post(f"/runs/{run_id}", mood=5)
    browser.post(f"/runs/{run_id}", stress=1)
    page = browser.open(f"/runs/{run_id}").text

    assert "Asked after the run." in before
    assert first.location == f"/runs/{run_id}"
    assert '<i class="dot m5"></i>Great</span>' in page
    assert "A little" in page
    assert "Change this answer" in page


@pytest.mark.usefixtures("runner_id")
@pytest.mark.parametrize("number", ["0", str(2**63), "9" * 30])
def test_a_number_that_no_run_can_have_leads_nowhere(
    browser: PageClient, number: str
) -> None:
    looked = browser.open(f"/runs/{number}")
    posted = browser.post(f"/runs/{number}/remove")
    in_place = browser.post("/dashboard/answer", run_id=number, mood=5)

    assert (looked.status_code, posted.status_code) == (404, 404)
    assert 400 <= in_place.status_code < 500


@pytest.mark.usefixtures("runner_id")
def test_an_answer_is_deleted_for_good_after_one_question(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    run_id = add_fresh_run(browser, harness)
    browser.post(f"/runs/{run_id}", mood=2)
    harness.advance_clock(days=3)

    asked = browser.open(f"/runs/{run_id}/remove").text
    kept = list_answers(runtime)
    browser.post(f"/runs/{run_id}/remove")
    again = browser.open(f"/runs/{run_id}/remove")

    assert "Delete this answer?" in asked
    assert kept == [run_id]
    assert list_answers(runtime) == []
    assert again.location == f"/runs/{run_id}"
    assert "No answer." in browser.open(f"/runs/{run_id}").text


@pytest.mark.usefixtures("runner_id")
def test_a_run_of_long_ago_takes_no_answer(
    browser: PageClient, harness: Harness
) -> None:
    run_id = add_fresh_run(browser, harness)
    harness.advance_clock(days=2)

    late = browser.post(f"/runs/{run_id}", mood=4)

    assert late.status_code == 410


@pytest.mark.usefixtures("runner_id")
def test_a_run_that_strava_shows_no_more_is_not_shown_here_either(
    browser: PageClient, harness: Harness
) -> None:
    run_id = add_fresh_run(browser, harness)
    shown = browser.open("/dashboard").text
    with harness.runtime.db.transaction() as session:
        run = session.get_one(Run, run_id)
        run.hidden_at = harness.clock()
        runners.bump_data_version(session, run.runner_id)

    statuses = [
        browser.open(f"/runs/{run_id}").status_code,
        browser.post(f"/runs/{run_id}", mood=4).status_code,
        browser.post("/dashboard/answer", run_id=run_id, mood=4).status_code,
    ]

    assert f"/runs/{run_id}" in shown
    assert f"/runs/{run_id}" not in browser.open("/dashboard").text
    assert statuses == [404, 404, 410]
    assert list_answers(harness.runtime) == []


@pytest.mark.usefixtures("runner_id")
@pytest.mark.parametrize("path", ["", "/remove"])
def test_runs_of_others_are_as_good_as_none(
    browser: PageClient, harness: Harness, path: str
) -> None:
    run_id = add_fresh_run(browser, harness)
    browser.post(f"/runs/{run_id}", mood=4)
    browser.sign_in(harness.link_runner(harness.add_athlete(8)))

    foreign = browser.open(f"/runs/{run_id}{path}")
    invented = browser.open(f"/runs/999999{path}")

    assert foreign.status_code == invented.status_code == 404
    assert foreign.text == invented.text
    assert browser.post(f"/runs/{run_id}{path}", mood=1).status_code == 404
    assert browser.post(f"/runs/{run_id}/count").status_code == 404


def test_strangers_are_asked_to_sign_in(browser: PageClient) -> None:
    answer = browser.open("/runs/1")

    assert answer.location == "/login?next=/runs/1"


@pytest.mark.usefixtures("runner_id")
def test_of_two_recordings_the_runner_may_choose(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    athlete = harness.world.athletes.get(7) or harness.add_athlete()
    for manual in (False, True):
        run = harness.finish_run(athlete, ended_minutes_ago=60, manual=manual)
        harness.deliver_event(athlete, run.id, "create")
        harness.process_all_due()
    with runtime.db.read_only() as session:
        counted, left_out = session.scalars(
            select(Run.id).where(~Run.imported).order_by(Run.counted.desc())
        ).all()

    before = browser.open(f"/runs/{left_out}").text
    browser.post(f"/runs/{left_out}/count")
    after = browser.open(f"/runs/{left_out}").text

    assert "Another recording of this run counts." in before
    assert "Another recording of this run counts." not in after
    assert "Recorded more than once" in after
    assert "Another recording" in browser.open(f"/runs/{counted}").text
