"""Pages speak the runner's language, else the browser's; programs get English."""

from pathlib import Path
from threading import Thread

import pytest
from flask.testing import FlaskClient

from sync.language import current_language
from sync.runners import account, preferences
from sync.runtime import Runtime
from sync.surveys import unsubscribe
from sync.surveys.answering import pre_run
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.support.page_fixtures import build_fresh_run
from tests.web.conftest import PageClient
from tests.web.connect.test_connect import (
    build_callback_url,
    give_code,
    open_strava_consent,
)
from tests.web.settings.test_settings import CHOICES
from web.app import create_app

pytestmark = pytest.mark.slow

GERMAN, ENGLISH = {"Accept-Language": "de-CH, fr"}, {"Accept-Language": "en"}


def get_page_language(client: FlaskClient, path: str, **headers: str) -> str:
    """Return the language that a page says it is in, in both its places."""
    answer = client.get(path, headers=headers or ENGLISH)
    language = answer.headers["Content-Language"]
    assert f'<html lang="{language}">' in answer.text
    assert {"Accept-Language", "Cookie"} <= set(answer.vary)
    return language


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("de", "de"),
        ("de-CH, en;q=0.5", "de"),
        ("en-US, de;q=0.9", "en"),
        ("fr, de;q=0.3", "de"),
        ("fr", "en"),
        ("de;q=0, fr", "en"),
        ("", "en"),
        ("*", "en"),
        ("d\u00e9, ../../etc", "en"),
    ],
)
def test_a_stranger_reads_what_the_browser_asks_for(
    client: FlaskClient, wanted: str, language: str
) -> None:
    assert get_page_language(client, "/", **{"Accept-Language": wanted}) == language


@pytest.mark.parametrize("path", ["/", "/connect", "/login", "/help", "/privacy"])
def test_a_stranger_can_switch_and_stays_switched(
    client: FlaskClient, path: str
) -> None:
    offered = client.get(path).text

    assert f'<a href="{path}?language=de" lang="de" hreflang="de"' in offered
    assert get_page_language(client, f"{path}?language=de") == "de"
    assert get_page_language(client, path) == "de"
    assert get_page_language(client, "/nowhere") == "de"
    assert get_page_language(client, f"{path}?language=en", **GERMAN) == "en"
    assert get_page_language(client, path, **GERMAN) == "en"


def test_a_switch_keeps_the_rest_of_the_address(client: FlaskClient) -> None:
    page = client.get('/connect?new=1&x="><b>').text

    assert '"/connect?new=1&amp;x=%22%3E%3Cb%3E&amp;language=de"' in page


@pytest.mark.parametrize("language", ["xx", "", "de'", "../de"])
def test_a_language_that_nobody_has_changes_nothing(
    client: FlaskClient, language: str
) -> None:
    answer = client.get(f"/?language={language}", headers=GERMAN)

    assert answer.headers["Content-Language"] == "de"
    assert "language" not in answer.headers.get("Set-Cookie", "")


def test_the_runners_choice_wins(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    browser.client.get("/help?language=en")
    preferences.save_preferences(runtime, runner_id, {"language": "de"})

    assert get_page_language(browser.client, "/settings") == "de"
    assert get_page_language(browser.client, "/help?language=en") == "de"
    assert "language=en" not in browser.open("/help").text


def test_errors_and_the_way_out_speak_the_runners_language(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    preferences.save_preferences(runtime, runner_id, {"language": "de"})
    browser.open("/dashboard")

    lost = browser.client.get("/nowhere", headers=ENGLISH)
    forged = browser.client.post("/settings", data={"csrf": "x"}, headers=ENGLISH)
    browser.post("/logout")

    assert "Unter dieser Adresse ist nichts." in lost.text
    assert "Diese Seite war zu lange offen." in forged.text
    assert get_page_language(browser.client, "/") == "de"


@pytest.mark.usefixtures("runner_id")
def test_an_error_speaks_the_language_last_heard_when_the_database_is_away(
    browser: PageClient, runtime: Runtime
) -> None:
    preferences.save_preferences(runtime, 1, {"language": "de"})
    browser.open("/dashboard")
    runtime.db.engine.dispose()
    Path(runtime.db.engine.url.database or "").write_bytes(b"no database at all" * 99)

    told = browser.client.get("/dashboard", headers=ENGLISH)
    asked = browser.client.get("/settings", headers=GERMAN)

    assert (told.status_code, asked.status_code) == (500, 500)
    assert told.headers["Content-Language"] == "de"
    assert '<html lang="de">' in told.text


@pytest.mark.usefixtures("runner_id")
def test_the_language_is_chosen_in_the_settings(browser: PageClient) -> None:
    browser.post("/settings", **CHOICES, language="de")
    german = browser.open("/settings").text
    refused = browser.post("/settings", **CHOICES, language="fr")

    assert '<option value="de" lang="de" selected>Deutsch</option>' in german
    assert "<h1>Einstellungen</h1>" in german
    assert refused.status_code == 400
    assert "Das steht nicht zur Wahl" in refused.text


def test_linking_keeps_the_language_that_the_browser_speaks(
    browser: PageClient, other_browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    first = build_callback_url(open_strava_consent(browser), give_code(harness))
    browser.client.get(first, headers=GERMAN)

    elsewhere = build_callback_url(
        open_strava_consent(other_browser), give_code(harness)
    )
    other_browser.client.get(elsewhere, headers=ENGLISH)

    assert account.load_language(runtime, 1) == "de"


def test_pages_behind_a_mail_speak_the_runners_language(
    other_browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    runner_id, _ = build_fresh_run(harness, ended_minutes_ago=0)
    preferences.save_preferences(runtime, runner_id, {"language": "de"})
    survey = f"/s/{read_pending_token(runtime)}"
    stop = f"/u/{unsubscribe.create_token(runtime, runner_id)}"

    assert get_page_language(other_browser.client, survey) == "de"
    assert get_page_language(other_browser.client, stop) == "de"
    assert get_page_language(other_browser.client, f"{stop}/settings") == "de"
    tap = f"/before/{pre_run.create_token(runtime, runner_id)}"
    assert get_page_language(other_browser.client, tap) == "de"
    assert "language=" not in other_browser.open(survey).text


@pytest.mark.usefixtures("runner_id")
def test_numbers_and_days_follow_the_language(browser: PageClient) -> None:
    english = browser.client.get("/dashboard", headers=ENGLISH).text
    german = browser.client.get("/dashboard", headers=GERMAN).text

    assert "8.2\N{NO-BREAK SPACE}km" in english
    assert "Wed 29 Apr 2026" in english
    assert "8,2\N{NO-BREAK SPACE}km" in german
    assert "Mi., 29. Apr. 2026" in german


@pytest.mark.usefixtures("runner_id")
@pytest.mark.parametrize(
    "path", ["data.json", "runs.csv", "answers.csv", "weeks.csv", "panels.csv"]
)
def test_programs_read_the_same_in_every_language(
    browser: PageClient, path: str
) -> None:
    english = browser.client.get(f"/dashboard/{path}", headers=ENGLISH)
    german = browser.client.get(f"/dashboard/{path}", headers=GERMAN)

    assert german.status_code == 200
    assert german.text == english.text
    assert "Content-Language" not in german.headers


def test_an_error_for_a_program_is_in_english(client: FlaskClient) -> None:
    answer = client.get("/dashboard/nothing.json", headers=GERMAN)

    assert answer.json == {"error": "There is nothing at this address."}


def test_readers_at_the_same_time_do_not_hear_each_other(runtime: Runtime) -> None:
    app, heard = create_app(runtime), dict[str, set[str]]()

    def read(name: str) -> None:
        client = app.test_client()
        heard[name] = {
            get_page_language(client, "/help", **{"Accept-Language": name})
            for _ in range(10)
        }

    readers = [Thread(target=read, args=[name]) for name in ("de", "en")]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()

    assert heard == {"de": {"de"}, "en": {"en"}}
    assert current_language() == "en"
