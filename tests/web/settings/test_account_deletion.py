"""Deleting everything from the pages: shown first, undone by page or by mail."""

import pytest
from sqlalchemy import func, select

from sync.models import Runner
from sync.runners import deletion, disconnect, inactivity, sign_in
from sync.runtime import Runtime
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.web.conftest import PageClient
from web.app import create_app


def count_runners(runtime: Runtime) -> int:
    with runtime.db.read_only() as session:
        return session.scalar(select(func.count()).select_from(Runner)) or 0


def get_deletion_time(runtime: Runtime, runner_id: int) -> object:
    with runtime.db.read_only() as session:
        return session.get_one(Runner, runner_id).erase_at


def test_deleting_shows_what_goes_and_then_when_it_goes(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    preview = browser.open("/settings/delete").text
    untouched = get_deletion_time(runtime, runner_id)

    asked = browser.post("/settings/delete")
    after = browser.open(asked.location).text

    assert "<b>1 run</b>" in preview
    assert "1 sign-in" in preview
    assert untouched is None
    # Noon in UTC, on the clocks of Berlin, ten minutes later.
    assert "Your account goes on Fri 1 May, 14:10." in after
    assert "Everything goes in a few minutes." in after


@pytest.mark.parametrize("path", ["/dashboard", "/settings", "/settings/export"])
def test_every_page_says_so_and_offers_to_undo(
    browser: PageClient, runner_id: int, path: str
) -> None:
    before = browser.open(path).text
    browser.post("/settings/delete")

    after = browser.open(path).text

    assert "Your account goes" not in before
    assert "Your account goes" in after
    assert 'action="/settings/delete/undo"' in after


def test_one_tap_undoes_it(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    browser.post("/settings/delete")

    undone = browser.post("/settings/delete/undo")

    assert "Everything is kept." in undone.text
    assert get_deletion_time(runtime, runner_id) is None
    assert "Your account goes" not in browser.open("/settings").text


def test_the_mailed_link_undoes_it_from_any_browser(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    browser.post("/settings/delete")
    other_browser = PageClient(create_app(runtime).test_client(), runtime)
    link = f"/undo/{read_pending_token(runtime, 'undo')}"

    looked = other_browser.open(link)
    looking_changed = get_deletion_time(runtime, runner_id) is None
    undone = other_browser.post(link)
    again = other_browser.post(link)

    assert "Keep everything?" in looked.text
    assert not looking_changed
    assert "Everything is kept." in undone.text
    assert again.status_code == 410
    assert get_deletion_time(runtime, runner_id) is None


def test_after_ten_minutes_sign_ins_end_and_nothing_can_be_undone(
    browser: PageClient, runner_id: int, runtime: Runtime, harness: Harness
) -> None:
    cookie = browser.client.get_cookie("moodmiles", domain="127.0.0.1")
    browser.post("/settings/delete")
    link = f"/undo/{read_pending_token(runtime, 'undo')}"
    harness.advance_clock(minutes=10)
    disconnect.process_removals(runtime)

    undone = browser.post(link)

    assert undone.status_code == 410
    assert count_runners(runtime) == 0
    assert cookie
    assert sign_in.find_signed_in(runtime, cookie.value) is None
    assert browser.open("/settings").location.startswith("/login")


def test_an_answer_meanwhile_is_refused_in_a_sentence(
    browser: PageClient, runner_id: int, runtime: Runtime, harness: Harness
) -> None:
    athlete = harness.world.athletes.get(7)
    assert athlete
    run = harness.finish_run(athlete, ended_minutes_ago=30)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    deletion.request_deletion(runtime, runner_id)

    refused = browser.client.post(f"/s/{read_pending_token(runtime)}", data={"mood": 4})

    assert refused.status_code == 409
    assert "This account is about to be deleted." in refused.text


def test_a_link_in_the_warning_keeps_an_unused_account(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    harness.advance_clock(days=366)
    inactivity.process_inactive(runtime)
    link = f"/stay/{read_pending_token(runtime, 'inactive')}"

    looked, kept, again = browser.open(link), browser.post(link), browser.post(link)

    assert "Keep everything?" in looked.text
    assert "Everything is kept." in kept.text
    assert again.status_code == 410
    with runtime.db.read_only() as session:
        assert session.get_one(Runner, runner_id).active_at == harness.clock()
