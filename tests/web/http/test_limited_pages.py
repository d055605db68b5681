"""Each page that is limited says so, keeps what was written, and lets a club in."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from sync.models import Answer, Runner
from sync.runtime import Runtime
from sync.surveys.answering import pre_run
from tests.support.concurrent_clients import HERE, MAILS, ask_for_links, on
from tests.support.harness import Stage
from tests.support.outbox_reader import token_in
from tests.support.page_fixtures import fresh_run
from tests.web.conftest import Browser
from web.http.limits import LIMITS

pytestmark = pytest.mark.slow

CLUB = 60


def runners(runtime: Runtime, many: int) -> list[int]:
    with runtime.db.transaction() as session:
        made = [
            Runner(
                created_at=runtime.now(),
                vault_key=runtime.sealer.new_vault_key(),
                preferences={},
            )
            for _ in range(many)
        ]
        session.add_all(made)
        session.flush()
        return [runner.id for runner in made]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/connect", {"strava": "1", "mood": "1", "adult": "1"}),
        ("/connect/again", {}),
        ("/email", {"email": "new@example.org"}),
        ("/email/confirm/token-{}", {}),
        ("/settings/export", {}),
        ("/undo/token-{}", {}),
    ],
)
def test_a_club_night_behind_one_address_gets_in(
    runtime: Runtime, path: str, fields: dict[str, str]
) -> None:
    app = on(runtime).application
    seen = []

    for number, runner_id in enumerate(runners(runtime, CLUB)):
        browser = Browser(app.test_client(), runtime)
        if path in {"/email", "/settings/export"}:
            browser.sign_in(runner_id)
        form = {**fields, "csrf": browser.form_token()}
        answered = browser.client.post(
            path.format(number), data=form, environ_overrides={"REMOTE_ADDR": HERE}
        )
        seen.append(answered.status_code)

    assert len(set(seen)) == 1
    assert seen[0] in {303, 410}


def test_what_was_written_is_shown_again(runtime: Runtime) -> None:
    client = on(runtime)
    ask_for_links(client, MAILS.who.amount, like="kept@example.org", of=HERE)
    form = Browser(client, runtime).form_token()

    refused = client.post("/login", data={"email": "kept@example.org", "csrf": form})

    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 15 * 60
    assert "That was a lot in a short time: please wait" in refused.text
    assert 'value="kept@example.org"' in refused.text


def test_an_answer_that_is_refused_stays_selected(
    runtime: Runtime, stage: Stage, client: FlaskClient
) -> None:
    fresh_run(stage)
    link = f"/s/{token_in(runtime)}"
    for _ in range(LIMITS["answer"].who.amount):
        client.post(link, data={"mood": 4})

    refused = client.post(link, data={"mood": 2})

    assert refused.status_code == 429
    assert 'value="2" checked' in refused.text
    assert "please wait" in refused.text
    with runtime.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Answer)) == 1


@pytest.mark.parametrize(
    ("name", "path", "fields"),
    [
        ("connect", "/connect", {}),
        ("connect", "/connect/again", {}),
        ("address", "/email", {"email": "new@example.org"}),
        ("confirm", "/email/confirm/some-token", {}),
        ("sign-in link", "/login/some-token", {}),
        ("staying", "/undo/some-token", {}),
        ("export", "/settings/export", {}),
        ("answer", "/wellbeing", {}),
        ("answer", "/runs/1", {"mood": "4"}),
        ("answer", "/dashboard/answer", {"run_id": "1", "mood": "4"}),
        ("answer", "/s/some-token/skip", {}),
    ],
)
def test_each_of_these_is_limited(
    browser: Browser, runner_id: int, name: str, path: str, fields: dict[str, str]
) -> None:
    form = {**fields, "csrf": browser.form_token()}
    most = LIMITS[name].who.amount

    seen = [browser.client.post(path, data=form).status_code for _ in range(most + 1)]

    assert 429 not in seen[:-1]
    # A link that leads nowhere says so, whoever asks how often.
    assert seen[-1] == (404 if path.startswith("/s/") else 429)


def test_the_bookmark_is_limited(
    client: FlaskClient, stage: Stage, runtime: Runtime
) -> None:
    token = pre_run.token_for(runtime, stage.link(stage.athlete()))
    most = LIMITS["before"].who.amount

    seen = [client.post(f"/before/{token}", data={"mood": 3}) for _ in range(most + 1)]

    assert [one.status_code for one in seen] == [303] * most + [429]
    assert "please wait" in seen[-1].text
    assert int(seen[-1].headers["Retry-After"]) <= 600


def test_stravas_events_are_never_limited(client: FlaskClient) -> None:
    seen = {
        client.post(
            "/hooks/strava/hook", json={}, environ_overrides={"REMOTE_ADDR": HERE}
        ).status_code
        for _ in range(400)
    }

    assert 429 not in seen
