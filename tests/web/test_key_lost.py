"""A runner whose host lost the key: told plainly, and whole again when it is back."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from sync.crypto import Sealer
from sync.models import Runner
from sync.runtime import Runtime
from sync.surveys.answering import answer
from tests.support.harness import Stage
from tests.support.outbox_reader import token_in
from tests.web.conftest import Browser
from web.app import create_app


@pytest.fixture
def lost(runtime: Runtime, runner_id: int, stage: Stage) -> Browser:
    """Sign in a runner with an answer, at a host with nothing but a new key."""
    athlete = stage.world.athletes.get(7)
    assert athlete
    run = stage.run(athlete, ended_minutes_ago=0)
    stage.tell(athlete, run.id, "create")
    stage.work()
    answer.record(runtime, token=token_in(runtime), values={"mood": 1})
    new = replace(runtime, sealer=Sealer(["n" * 32]))
    browser = Browser(create_app(new).test_client(), new)
    browser.sign_in(runner_id)
    return browser


@pytest.mark.parametrize("path", ["/dashboard", "/settings", "/wellbeing"])
def test_a_lost_key_is_told_plainly(lost: Browser, path: str) -> None:
    with capture_logs() as logs:
        page = lost.open(path)

    assert page.status_code == 503
    assert "Your data cannot be opened right now." in page.text
    assert "Nothing of yours was deleted" in page.text
    assert "MOODMILES_SECRET_KEYS" in page.text
    assert "Code:" not in page.text
    assert ("error", "key lost") in [(one["log_level"], one["event"]) for one in logs]


def test_a_program_is_told_in_one_line(lost: Browser) -> None:
    answer = lost.open("/dashboard/data.json")

    assert answer.status_code == 503
    assert answer.json == {"error": "Your data cannot be opened right now."}


def test_the_ways_out_of_it_work(
    lost: Browser, browser: Browser, runtime: Runtime, runner_id: int
) -> None:
    page = lost.open("/dashboard").text
    shown = lost.open("/settings/delete")

    lost.post("/settings/delete")

    assert 'href="/dashboard"' in page
    assert 'href="/settings/delete"' in page
    assert shown.status_code == 200
    with runtime.db.reading() as session:
        assert session.get_one(Runner, runner_id).erase_at is not None


def test_with_the_old_key_back_all_is_as_it_was(
    lost: Browser, browser: Browser
) -> None:
    before = lost.open("/dashboard")

    after = browser.open("/dashboard")

    assert before.status_code == 503
    assert after.status_code == 200
    assert "1 answer from 2 runs" in after.text
