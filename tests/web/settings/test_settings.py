"""A runner's own controls: choices, and taking everything out or away."""

import pytest
from sqlalchemy import func, select

from sync.models import Answer, Run, Runner
from sync.runtime import Runtime
from tests.support.harness import Harness
from tests.web.conftest import PageClient

CHOICES = {
    "ask": "long-runs",
    "delay_min": "60",
    "quiet_from": "22:00",
    "quiet_until": "06:30",
    "pause": "",
    "units": "mi",
}


def read_preferences(runtime: Runtime, runner_id: int) -> dict[str, object]:
    with runtime.db.read_only() as session:
        return session.get_one(Runner, runner_id).preferences.to_stored()


def count_rows(runtime: Runtime, table: type[Run | Answer | Runner]) -> int:
    with runtime.db.read_only() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_choices_are_kept(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    answer = browser.post("/settings", **CHOICES, ask_manual="1")

    kept = read_preferences(runtime, runner_id)
    assert answer.status_code == 303
    assert kept["ask"] == "long-runs"
    assert kept["delay_min"] == 60
    assert (kept["quiet_from"], kept["quiet_until"]) == ("22:00", "06:30")
    assert (kept["units"], kept["ask_manual"]) == ("mi", True)
    assert "Saved." in browser.open(answer.location).text


def test_a_pause_ends_by_itself_and_is_kept_until_then(
    browser: PageClient, runner_id: int, runtime: Runtime, harness: Harness
) -> None:
    browser.post("/settings", **CHOICES | {"pause": "7"})
    until = read_preferences(runtime, runner_id)["paused_until"]
    during = browser.open("/settings").text
    browser.post("/settings", **CHOICES | {"pause": "keep"})
    kept = read_preferences(runtime, runner_id)["paused_until"]
    harness.advance_clock(days=8)

    after = browser.open("/settings").text

    assert str(until).startswith("2026-05-08")
    assert kept == until
    assert "Paused until 8 May 2026" in during
    assert "Paused until" not in after


@pytest.mark.parametrize(
    "odd",
    [
        {"ask": "always"},
        {"delay_min": "7"},
        {"quiet_from": "late"},
        {"pause": "99"},
        {"units": "furlongs"},
    ],
)
def test_what_is_not_offered_is_refused(
    browser: PageClient, runner_id: int, runtime: Runtime, odd: dict[str, str]
) -> None:
    before = read_preferences(runtime, runner_id)

    answer = browser.post("/settings", **CHOICES | odd)

    assert answer.status_code == 400
    assert "Please" in answer.text or "please" in answer.text
    assert read_preferences(runtime, runner_id) == before


@pytest.mark.usefixtures("runner_id")
def test_a_mails_suggestion_waits_for_save(browser: PageClient) -> None:
    page = browser.open("/settings?ask=never").text

    assert '<option value="never" selected>' in page
    assert "Chosen from your mail" in page


def test_disconnecting_shows_first_and_keeps_the_answers(
    browser: PageClient, runner_id: int, runtime: Runtime, harness: Harness
) -> None:
    preview = browser.open("/settings/disconnect").text
    untouched = count_rows(runtime, Run)

    done = browser.post("/settings/disconnect").text

    assert "<b>1 run</b>" in preview
    assert untouched == 1
    assert "Strava is disconnected." in done
    assert count_rows(runtime, Run) == 0
    assert not harness.world.grants
    assert browser.open("/settings").status_code == 200
