"""People to talk to: those of one's own country first, and it says why these."""

import re
from datetime import date

import pytest

from sync.runners import preferences as runner_preferences
from sync.runtime import Runtime
from sync.support.directory import find_zone_country, guess_language_country
from tests.support.run_history import add_answered_runs
from tests.web.conftest import PageClient
from tests.web.settings.test_settings import CHOICES, read_preferences


def list_headings(page: str) -> list[str]:
    return re.findall(r"<h2>([^<]+)</h2>", page)


@pytest.mark.parametrize(
    ("zone", "country"),
    [
        ("Europe/Berlin", "DE"),
        ("US/Eastern", "US"),
        ("Asia/Kolkata", "IN"),
        ("UTC", None),
        ("Nowhere/At_All", None),
    ],
)
def test_a_time_zone_lies_in_a_country(zone: str, country: str | None) -> None:
    assert find_zone_country(zone) == country


@pytest.mark.parametrize(
    ("languages", "country"),
    [
        (["en-GB", "en"], "GB"),
        (["en", "fr-CA"], "CA"),
        (["zh-Hans-SG"], "SG"),
        (["de", "*"], None),
        (["es-419"], None),
        ([], None),
    ],
)
def test_a_browsers_language_may_name_a_country(
    languages: list[str], country: str | None
) -> None:
    assert guess_language_country(languages) == country


@pytest.mark.parametrize(
    ("language", "first", "emergency"),
    [("en-IE", "Ireland", "112 or 999"), ("en", "Anywhere", "112, 999, 911 or your")],
)
def test_a_stranger_sees_the_country_that_the_browser_names(
    browser: PageClient, language: str, first: str, emergency: str
) -> None:
    page = browser.client.get("/help", headers={"Accept-Language": language}).text

    assert list_headings(page)[0] == first
    assert list_headings(page).count(first) == 1
    assert f"In an emergency call <b>{emergency}" in page
    assert ("a guess from your browser’s language" in page) is (first == "Ireland")


def test_a_runner_sees_the_country_of_their_zone_until_they_choose(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    runner_preferences.save_preferences(runtime, runner_id, {"zone": "Europe/Berlin"})
    guessed = browser.open("/help").text
    browser.post("/settings", **CHOICES, country="NZ")
    chosen = browser.open("/help").text

    assert list_headings(guessed)[0] == "Germany"
    assert "For Germany: a guess from your time zone." in guessed
    assert list_headings(chosen)[0] == "New Zealand"
    assert "For New Zealand, as you chose in the settings." in chosen
    assert 'value="NZ" selected' in browser.open("/settings").text


def test_another_country_shows_the_lines_that_know_them_all(
    browser: PageClient, runner_id: int
) -> None:
    browser.post("/settings", **CHOICES, country="*")

    assert list_headings(browser.open("/help").text)[0] == "Anywhere"


def test_low_answers_show_the_numbers_of_the_country(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    runner_preferences.save_preferences(runtime, runner_id, {"country": "GB"})
    add_answered_runs(runtime, runner_id, moods=[0, -2, -2, -2], km=[5.0] * 4)

    page = browser.open("/dashboard").text

    assert "call 116 123" in page
    assert "For United Kingdom, as you chose in the settings." in page


@pytest.mark.usefixtures("runner_id")
def test_a_country_that_is_not_offered_is_refused(browser: PageClient) -> None:
    answer = browser.post("/settings", **CHOICES, country="XX")

    assert answer.status_code == 400
    assert "That is not one of the choices" in answer.text


def test_weeks_start_where_the_runner_says(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    add_answered_runs(runtime, runner_id, moods=[0, 1, 2], km=[5.0, 8.0, 6.0])
    mondays = browser.open("/dashboard/data.json").get_json()["weeks"]
    browser.post("/settings", **CHOICES, week_starts="sunday")

    sundays = browser.open("/dashboard/data.json").get_json()["weeks"]

    assert read_preferences(runtime, runner_id)["week_starts"] == "sunday"
    assert [len(mondays), len(sundays)] != [0, 0]
    assert {answer_weeks_ago(week) for week in mondays} == {0}
    assert {answer_weeks_ago(week) for week in sundays} == {6}


def answer_weeks_ago(week: dict[str, str]) -> int:
    return date.fromisoformat(week["week_of"]).weekday()
