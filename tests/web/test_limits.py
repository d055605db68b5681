"""Who asks too often is told so in a sentence, and loses nothing that was written."""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network

import pytest
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import func, select

from sync.models import Answer, MailLink, Runner
from sync.runtime import Runtime
from sync.settings import Settings
from sync.surveys import before
from tests.mailbag import token_in
from tests.servers import Valkey, valkey
from tests.stage import Stage
from tests.web.conftest import Browser
from tests.web.states import fresh_run
from web.app import create_app
from web.clients import client_network
from web.counters import Counters
from web.limits import LIMITS

HERE, THERE = "203.0.113.5", "203.0.113.6"
MAILS = LIMITS["sign-in mail"]


@pytest.fixture(scope="module")
def redis() -> Iterator[Valkey]:
    with valkey() as server:
        yield server


def on(
    runtime: Runtime, redis_url: str = "", *, trusted: tuple[str, ...] = ()
) -> FlaskClient:
    """Return a browser of an instance that counts on this Redis."""
    values = {
        **dict(runtime.settings),
        "redis_url": redis_url,
        "trusted_proxies": [ip_network(one) for one in trusted],
    }
    settings = Settings.model_construct(**values)
    return create_app(replace(runtime, settings=settings)).test_client()


def ask_for_links(client: FlaskClient, many: int, *, like: str, of: str) -> list[int]:
    """Ask for sign-in links; `like` may number the addresses that they go to."""
    form = Browser(client, None).form_token()  # type: ignore[arg-type]
    return [
        client.post(
            "/login",
            data={"email": like.format(number), "csrf": form},
            environ_overrides={"REMOTE_ADDR": of},
        ).status_code
        for number in range(many)
    ]


@pytest.mark.parametrize("counts_on", ["redis", "nothing", "a stopped redis"])
def test_one_address_gets_only_so_many_sign_in_mails(
    runtime: Runtime, stage: Stage, redis: Valkey, counts_on: str
) -> None:
    redis.flush()
    urls = {"redis": redis.url, "nothing": "", "a stopped redis": "redis://127.0.0.1:1"}
    client = on(runtime, urls[counts_on])
    stage.link(stage.athlete())
    most = MAILS.who.amount

    seen = ask_for_links(client, most + 2, like="runner1@example.org", of=HERE)
    other = ask_for_links(client, 1, like="other@example.org", of=HERE)

    assert seen == [303] * most + [429] * 2
    assert other == [303]
    with runtime.db.reading() as session:
        links = select(func.count()).where(MailLink.purpose == "sign in")
        assert session.scalar(links) == most


def test_one_network_gets_only_so_many_and_the_next_is_not_concerned(
    runtime: Runtime,
) -> None:
    assert MAILS.network
    client, most = on(runtime), MAILS.network.amount

    seen = ask_for_links(client, most + 1, like="runner{}@example.org", of=HERE)
    next_door = ask_for_links(client, 1, like="runner99@example.org", of=THERE)
    this_machine = ask_for_links(
        client, most + 1, like="someone{}@example.org", of="127.0.0.1"
    )

    assert seen == [303] * most + [429]
    assert next_door == [303]
    assert set(this_machine) == {303}


@pytest.mark.parametrize("counts_on", ["redis", "nothing"])
def test_what_is_refused_to_one_uses_up_nobody_elses_share(
    runtime: Runtime, redis: Valkey, counts_on: str
) -> None:
    redis.flush()
    client = on(runtime, redis.url if counts_on == "redis" else "")
    assert MAILS.network
    flood, most = MAILS.network.amount + 5, MAILS.who.amount

    seen = ask_for_links(client, flood, like="one@example.org", of=HERE)
    others = ask_for_links(client, 3, like="other{}@example.org", of=HERE)

    assert seen == [303] * most + [429] * (flood - most)
    assert others == [303] * 3


def test_a_network_that_is_refused_is_not_remembered_by_name(
    runtime: Runtime, redis: Valkey
) -> None:
    redis.flush()
    assert MAILS.network
    client, most = on(runtime, redis.url), MAILS.network.amount

    ask_for_links(client, most + 5, like="runner{}@example.org", of=HERE)

    with Redis.from_url(redis.url) as store:
        assert len(store.keys()) == most + 1  # each address, and the network


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


@pytest.mark.parametrize(
    ("proxy", "header", "times"),
    [
        ("172.18.0.3", "198.51.100.7", 1),
        ("fd00::3", "198.51.100.7", 1),
        ("10.0.0.9", "198.51.100.7", 0),
        ("127.0.0.1", "198.51.100.7", 0),
        ("172.18.0.3", "", 0),
        ("8.8.8.8", "198.51.100.7", 0),
    ],
)
def test_a_proxy_nearby_that_nobody_trusts_is_spoken_of_once(
    runtime: Runtime,
    capsys: pytest.CaptureFixture[str],
    proxy: str,
    header: str,
    times: int,
) -> None:
    app = on(runtime, trusted=("10.0.0.0/8",)).application
    headers = {"X-Forwarded-For": header}

    for _ in range(3):
        where = {"REMOTE_ADDR": proxy}
        with app.test_request_context("/", headers=headers, environ_overrides=where):
            client_network()

    said = capsys.readouterr().out
    assert said.count("MOODMILES_TRUSTED_PROXIES may be missing") == times
    assert proxy not in said
    assert "198.51.100.7" not in said


def test_two_web_processes_count_together(runtime: Runtime, redis: Valkey) -> None:
    redis.flush()
    one, other = on(runtime, redis.url), on(runtime, redis.url)
    most = MAILS.who.amount

    seen = [
        *ask_for_links(one, most, like="a@example.org", of=HERE),
        *ask_for_links(other, 1, like="A@Example.org", of=THERE),
    ]

    assert seen == [303] * most + [429]


def test_redis_learns_neither_addresses_nor_links(
    runtime: Runtime, redis: Valkey
) -> None:
    redis.flush()
    client = on(runtime, redis.url)

    ask_for_links(client, 3, like="runner1@example.org", of=HERE)

    with Redis.from_url(redis.url) as store:
        keys = store.keys()
        held = b" ".join(
            [*keys, *(b" ".join(store.lrange(key, 0, -1)) for key in keys)]
        )
        lasting = [key for key in keys if store.ttl(key) < 0]
    assert len(keys) == 2
    assert lasting == []
    for secret in (HERE.encode(), b"runner1", b"example.org"):
        assert secret not in held


def test_redis_may_go_while_people_come(runtime: Runtime) -> None:
    with valkey() as server:
        client = on(runtime, server.url)
        before_it_went = ask_for_links(client, 1, like="a@example.org", of=HERE)
        server.stop()

        meanwhile = ask_for_links(
            client, MAILS.who.amount, like="a@example.org", of=HERE
        )
        refused = ask_for_links(client, 1, like="a@example.org", of=HERE)

    assert before_it_went == [303]
    assert set(meanwhile) == {303}
    assert refused == [429]


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
    token = before.token_for(runtime, stage.link(stage.athlete()))
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


@pytest.mark.parametrize(
    ("peer", "header", "network"),
    [
        (HERE, "", HERE),
        (HERE, "198.51.100.1", HERE),  # who is no proxy of ours may say what it likes
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "10.9.9.9, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1, 172.18.0.1", "198.51.100.1"),
        ("172.18.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "", None),
        ("127.0.0.1", "nonsense", None),
        ("2001:db8::17", "", "2001:db8::/64"),
        ("::ffff:203.0.113.5", "", HERE),
        ("::1", "2001:db8::17", "2001:db8::/64"),
    ],
)
def test_a_client_is_who_the_last_trusted_proxy_names(
    runtime: Runtime, peer: str, header: str, network: str | None
) -> None:
    app = on(runtime, trusted=("172.16.0.0/12",)).application
    headers = {"X-Forwarded-For": header} if header else {}

    with app.test_request_context(
        headers=headers, environ_overrides={"REMOTE_ADDR": peer}
    ):
        assert client_network() == network


def test_there_is_room_again_after_the_time_that_was_named() -> None:
    counters, limit = Counters(""), MAILS.who

    waits = [counters.wait_s(limit, "who") for _ in range(limit.amount + 1)]

    assert waits[:-1] == [0] * limit.amount
    assert limit.get_expiry() - 1 <= waits[-1] <= limit.get_expiry()
