"""The list of states: each link leads to the real page, and only in a demo."""

import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from sync.models import Answer, Runner
from sync.runtime import Runtime
from sync.settings import Settings
from sync.standins.fixtures.fixtures import SCENES, prepare
from tests.stage import Stage
from tests.web.conftest import Browser
from tests.web.states import STATES as MADE
from tests.web.states import STRICT
from web.app import create_app
from web.fixtures.routes import ADDRESSES, FAILURES, STATES

pytestmark = pytest.mark.slow

NAMES = [name for group in STATES.values() for name in group]
# What only that state's page says.
SAID = {
    "landing": "How much running feels good to you?",
    "consent": "Continue to Strava",
    "sign-in": "Sign in",
    "address": "E-mail",
    "link-over": "link",
    "importing": "You can close this page.",
    "importing-slowed": "Strava asked us to slow down; the import goes on",
    "importing-strava-down": "Strava isn’t answering; the import tries again",
    "no-runs": "All set. Go for a run.",
    "no-answers": "Your runs are in. Add your first mood.",
    "to-answer": "How do you feel right now?",
    "answers-3": "3 of 15 answers before the first look",
    "answers-20": "20 answers from 60 runs",
    "answers-500": "500 answers from 500 runs",
    "runs-10000": "7,000 answers from 10,000 runs",
    "low-answers": "Need to talk to someone?</h2>",
    "run": "Moving time",
    "survey": 'value="4" checked',
    "survey-saved": "Good",
    "survey-expired": "24 hours",
    "going": "Everything goes in a few minutes.",
    "undo": "Keep everything?",
    "bounced": "Mails to you come back.",
    "strava-disconnected": "Strava is disconnected.",
    "strava-slow": "Strava asked us to slow down.",
    "strava-down": "Strava isn’t answering right now.",
    "strava-inactive": "Strava has switched this app off.",
    "strava-full": "All places are taken.",
    "not-found": "There is nothing at this address.",
    "key-lost": "Your data cannot be opened right now.",
    "server-error": "Something went wrong on our side.",
    "offline": "You are offline.",
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"mailbox_dir": settings.data_dir / "mailbox"})


@pytest.mark.parametrize("name", NAMES)
def test_each_link_leads_to_its_state(client: FlaskClient, name: str) -> None:
    page = client.get(f"/states/{name}", follow_redirects=True).text

    assert SAID[name] in page
    assert page.count("<h1") == 1


def test_the_list_names_every_state_there_is(client: FlaskClient) -> None:
    page = client.get("/states").text

    linked = set(re.findall(r'href="/states/([\w-]+)"', page))
    assert linked == {*SCENES, *FAILURES, *ADDRESSES} == set(SAID)
    assert 'href="http://127.0.0.1:8000/states"' in client.get("/").text


def test_a_mistake_of_ours_comes_with_a_code(client: FlaskClient) -> None:
    page = client.get("/states/server-error")

    assert page.status_code == 500
    assert re.search(r"Code: <b>[0-9A-F]{4}-[0-9A-F]{2}</b>", page.text)
    assert "somebody wanted" not in page.text


def test_a_state_is_made_anew_each_time(runtime: Runtime) -> None:
    first = prepare(runtime, "answers-3")
    with runtime.db.transaction() as session:
        session.get_one(Runner, first.runner_id).email_bounced_at = runtime.now()

    again = prepare(runtime, "answers-3")

    with runtime.db.reading() as session:
        assert session.get_one(Runner, again.runner_id).email_bounced_at is None
        assert session.scalar(select(func.count()).select_from(Runner)) == 1
        assert session.scalar(select(func.count()).select_from(Answer)) == 3


def test_no_prepared_runner_is_ever_due_at_strava(stage: Stage) -> None:
    for name in SCENES:
        if name != "runs-10000":
            prepare(stage.runtime, name)
    before = stage.reads()

    stage.work()

    assert stage.reads() == before


@pytest.mark.parametrize(
    "change",
    [
        {"mailbox_dir": None},
        {"public_url": "https://moodmiles.example"},
        {"strava_site_url": "https://www.strava.com"},
    ],
    ids=["mail leaves", "on a public address", "the real Strava"],
)
def test_no_state_is_offered_where_people_are_real(
    runtime: Runtime, change: dict[str, object]
) -> None:
    settings = runtime.settings.model_copy(update=change)
    client = create_app(replace(runtime, settings=settings)).test_client()

    for path in ("/states", "/states/answers-3", "/states/server-error"):
        assert client.get(path, base_url=settings.public_url).status_code == 404


@pytest.mark.parametrize("state", sorted(STRICT))
def test_a_strict_host_offers_the_own_log(
    state: str, browser: Browser, stage: Stage
) -> None:
    scene = MADE[state](stage)
    if scene.runner_id is not None:
        browser.sign_in(scene.runner_id)

    assert "Keep it in my own log?" in browser.open(scene.path).text


def test_an_unknown_state_is_not_found(client: FlaskClient) -> None:
    assert client.get("/states/bliss").status_code == 404
