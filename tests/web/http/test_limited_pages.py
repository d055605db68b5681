"""Each page that is limited says so, keeps what was written, and lets a club in."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from sync.models import Answer, Runner
from sync.runtime import Runtime
from sync.surveys.answering import pre_run
from tests.support.concurrent_clients import (
    CLIENT_IP,
    MAILS,
    open_client,
    request_sign_in_links,
)
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.support.page_fixtures import build_fresh_run
from tests.web.conftest import PageClient
from web.http.limits import LIMITS

pytestmark = pytest.mark.slow

CLUB = 60


def add_runners(runtime: Runtime, count: int) -> list[int]:
    with runtime.db.transaction() as session:
        added = [
            Runner(
                created_at=runtime.now(),
                vault_key=runtime.sealer.new_vault_key(),
            )
            for _ in range(count)
        ]
        session.add_all(added)
        session.flush()
        return [runner.id for runner in added]


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
    app = open_client(runtime).application
    seen = []

    for number, runner_id in enumerate(add_runners(runtime, CLUB)):
        browser = PageClient(app.test_client(), runtime)
        if path in {"/email", "/settings/export"}:
            browser.sign_in(runner_id)
        form = {**fields, "csrf": browser.get_csrf_token()}
        answered = browser.client.post(
            path.format(number), data=form, environ_overrides={"REMOTE_ADDR": CLIENT_IP}
        )
        seen.append(answered.status_code)

    assert len(set(seen)) == 1
    assert seen[0] in {303, 410}


def test_what_was_written_is_shown_again(runtime: Runtime) -> None:
    client = open_client(runtime)
    request_sign_in_links(
        client,
        MAILS.subject.amount,
        address_format="kept@example.org",
        client_ip=CLIENT_IP,
    )
    form = PageClient(client, runtime).get_csrf_token()

    refused = client.post(
        "/login",
        data={"email": "kept@example.org", "csrf": form},
        environ_overrides={"REMOTE_ADDR": CLIENT_IP},
    )

    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 15 * 60
    assert "That was a lot in a short time: please wait" in refused.text
    assert 'value="kept@example.org"' in refused.text


def test_an_answer_that_is_refused_stays_selected(
    runtime: Runtime, harness: Harness, client: FlaskClient
) -> None:
    build_fresh_run(harness)
    link = f"/s/{read_pending_token(runtime)}"
    for _ in range(LIMITS["answer"].subject.amount):
        client.post(link, data={"mood": 4})

    refused = client.post(link, data={"mood": 2})

    assert refused.status_code == 429
    assert 'value="2" checked' in refused.text
    assert "please wait" in refused.text
    with runtime.db.read_only() as session:
        assert session.scalar(select(func.count()).select_from(Answer)) == 1


@pytest.mark.parametrize(
    ("name", "path", "fields"),
    [
        ("connect", "/connect", {}),
        ("connect", "/connect/again", {}),
        ("address", "/email", {"email": "new@example.org"}),
        ("confirm", "/email/confirm/some-token", {}),
        ("sign-in link", "/login/some-token", {}),
        ("account_link", "/undo/some-token", {}),
        ("export", "/settings/export", {}),
        ("answer", "/wellbeing", {}),
        ("answer", "/runs/1", {"mood": "4"}),
        ("answer", "/dashboard/answer", {"run_id": "1", "mood": "4"}),
        ("answer", "/runs/1/count", {}),
        ("answer", "/runs/1/remove", {}),
        ("answer", "/s/some-token/skip", {}),
    ],
)
def test_each_of_these_is_limited(
    browser: PageClient, runner_id: int, name: str, path: str, fields: dict[str, str]
) -> None:
    form = {**fields, "csrf": browser.get_csrf_token()}
    most = LIMITS[name].subject.amount

    seen = [browser.client.post(path, data=form).status_code for _ in range(most + 1)]

    assert 429 not in seen[:-1]
    # A link that leads nowhere says so, whoever asks how often.
    assert seen[-1] == (404 if path.startswith("/s/") else 429)


def test_the_bookmark_is_limited(
    client: FlaskClient, harness: Harness, runtime: Runtime
) -> None:
    token = pre_run.create_token(runtime, harness.link_runner(harness.add_athlete()))
    most = LIMITS["pre_run"].subject.amount

    seen = [client.post(f"/before/{token}", data={"mood": 3}) for _ in range(most + 1)]

    assert [one.status_code for one in seen] == [303] * most + [429]
    assert "please wait" in seen[-1].text
    assert int(seen[-1].headers["Retry-After"]) <= 600


def test_stravas_events_are_never_limited(client: FlaskClient) -> None:
    seen = {
        client.post(
            "/hooks/strava/hook", json={}, environ_overrides={"REMOTE_ADDR": CLIENT_IP}
        ).status_code
        for _ in range(400)
    }

    assert 429 not in seen
