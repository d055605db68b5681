"""Deleting everything from the pages: shown first, undone by page or by mail."""

import pytest
from sqlalchemy import func, select

from sync.models import Runner
from sync.runners import deletion, disconnect, inactivity, sign_in
from sync.runtime import Runtime
from tests.support.harness import Stage
from tests.support.outbox_reader import token_in
from tests.web.conftest import Browser
from web.app import create_app


def runners(runtime: Runtime) -> int:
    with runtime.db.reading() as session:
        return session.scalar(select(func.count()).select_from(Runner)) or 0


def erase_at(runtime: Runtime, runner_id: int) -> object:
    with runtime.db.reading() as session:
        return session.get_one(Runner, runner_id).erase_at


def test_deleting_shows_what_goes_and_then_when_it_goes(
    browser: Browser, runner_id: int, runtime: Runtime
) -> None:
    preview = browser.open("/settings/delete").text
    untouched = erase_at(runtime, runner_id)

    asked = browser.post("/settings/delete")
    after = browser.open(asked.location).text

    assert "<b>1 run</b>" in preview
    assert "1 sign-in" in preview
    assert untouched is None
    # Noon in UTC, on the clocks of Berlin, ten minutes later.
    assert "Your account goes at 14:10." in after
    assert "Everything goes in a few minutes." in after


@pytest.mark.parametrize("path", ["/dashboard", "/settings", "/settings/export"])
def test_every_page_says_so_and_offers_to_undo(
    browser: Browser, runner_id: int, path: str
) -> None:
    before = browser.open(path).text
    browser.post("/settings/delete")

    after = browser.open(path).text

    assert "Your account goes" not in before
    assert "Your account goes" in after
    assert 'action="/settings/delete/undo"' in after


def test_one_tap_undoes_it(browser: Browser, runner_id: int, runtime: Runtime) -> None:
    browser.post("/settings/delete")

    undone = browser.post("/settings/delete/undo")

    assert "Everything is kept." in undone.text
    assert erase_at(runtime, runner_id) is None
    assert "Your account goes" not in browser.open("/settings").text


def test_the_mailed_link_undoes_it_from_any_browser(
    browser: Browser, runner_id: int, runtime: Runtime
) -> None:
    browser.post("/settings/delete")
    stranger = Browser(create_app(runtime).test_client(), runtime)
    link = f"/undo/{token_in(runtime, 'undo')}"

    looked = stranger.open(link)
    looking_changed = erase_at(runtime, runner_id) is None
    undone = stranger.post(link)
    again = stranger.post(link)

    assert "Keep everything?" in looked.text
    assert not looking_changed
    assert "Everything is kept." in undone.text
    assert again.status_code == 410
    assert erase_at(runtime, runner_id) is None


def test_after_ten_minutes_sign_ins_end_and_nothing_can_be_undone(
    browser: Browser, runner_id: int, runtime: Runtime, stage: Stage
) -> None:
    cookie = browser.client.get_cookie("moodmiles", domain="127.0.0.1")
    browser.post("/settings/delete")
    link = f"/undo/{token_in(runtime, 'undo')}"
    stage.pass_time(minutes=10)
    disconnect.resume(runtime)

    undone = browser.post(link)

    assert undone.status_code == 410
    assert runners(runtime) == 0
    assert cookie
    assert sign_in.runner_of(runtime, cookie.value) is None
    assert browser.open("/settings").location.startswith("/login")


def test_an_answer_meanwhile_is_refused_in_a_sentence(
    browser: Browser, runner_id: int, runtime: Runtime, stage: Stage
) -> None:
    athlete = stage.world.athletes.get(7)
    assert athlete
    run = stage.run(athlete, ended_minutes_ago=30)
    stage.tell(athlete, run.id, "create")
    stage.work()
    deletion.ask(runtime, runner_id)

    refused = browser.client.post(f"/s/{token_in(runtime)}", data={"mood": 4})

    assert refused.status_code == 409
    assert "This account is about to be deleted." in refused.text


def test_a_link_in_the_warning_keeps_an_unused_account(
    browser: Browser, stage: Stage, runtime: Runtime
) -> None:
    runner_id = stage.link(stage.athlete())
    stage.pass_time(days=366)
    inactivity.look(runtime)
    link = f"/stay/{token_in(runtime, 'inactive')}"

    looked, kept, again = browser.open(link), browser.post(link), browser.post(link)

    assert "Keep everything?" in looked.text
    assert "Everything is kept." in kept.text
    assert again.status_code == 410
    with runtime.db.reading() as session:
        assert session.get_one(Runner, runner_id).active_at == stage.clock()
