"""A runner whose host lost the key: told plainly, and whole again when it is back."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from sync.crypto import Sealer
from sync.models import Runner
from sync.runtime import Runtime
from sync.surveys.answering import answer
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.web.conftest import PageClient
from web.app import create_app


@pytest.fixture
def browser_without_key(
    runtime: Runtime, runner_id: int, harness: Harness
) -> PageClient:
    """Sign in a runner with an answer, at a host with nothing but a new key."""
    athlete = harness.world.athletes.get(7)
    assert athlete
    run = harness.finish_run(athlete, ended_minutes_ago=0)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    answer.record_answer(runtime, token=read_pending_token(runtime), values={"mood": 1})
    new = replace(runtime, sealer=Sealer(["n" * 32]))
    browser = PageClient(create_app(new).test_client(), new)
    browser.sign_in(runner_id)
    return browser


@pytest.mark.parametrize("path", ["/dashboard", "/settings", "/wellbeing"])
def test_a_lost_key_is_told_plainly(browser_without_key: PageClient, path: str) -> None:
    with capture_logs() as logs:
        page = browser_without_key.open(path)

    assert page.status_code == 503
    assert "Your data cannot be opened right now." in page.text
    assert "Nothing of yours was deleted" in page.text
    assert "MOODMILES_SECRET_KEYS" in page.text
    assert "Code:" not in page.text
    assert ("error", "key lost") in [(one["log_level"], one["event"]) for one in logs]


def test_a_program_is_told_in_one_line(browser_without_key: PageClient) -> None:
    answer = browser_without_key.open("/dashboard/data.json")

    assert answer.status_code == 503
    assert answer.json == {"error": "Your data cannot be opened right now."}


def test_the_ways_out_of_it_work(
    browser_without_key: PageClient,
    browser: PageClient,
    runtime: Runtime,
    runner_id: int,
) -> None:
    page = browser_without_key.open("/dashboard").text
    shown = browser_without_key.open("/settings/delete")

    browser_without_key.post("/settings/delete")

    assert 'href="/dashboard"' in page
    assert 'href="/settings/delete"' in page
    assert shown.status_code == 200
    with runtime.db.read_only() as session:
        assert session.get_one(Runner, runner_id).erase_at is not None


def test_with_the_old_key_back_all_is_as_it_was(
    browser_without_key: PageClient, browser: PageClient
) -> None:
    before = browser_without_key.open("/dashboard")

    after = browser.open("/dashboard")

    assert before.status_code == 503
    assert after.status_code == 200
    assert "1 answer from 2 runs" in after.text
