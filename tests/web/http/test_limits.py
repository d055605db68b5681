"""Who asks too often is told so in a sentence, and uses up nobody else's share."""

from collections.abc import Iterator

import pytest
from redis import Redis
from sqlalchemy import func, select

from sync.models import MailLink
from sync.runtime import Runtime
from tests.support.concurrent_clients import (
    CLIENT_IP,
    MAILS,
    OTHER_CLIENT_IP,
    open_client,
    request_sign_in_links,
)
from tests.support.harness import Harness
from tests.support.servers import ValkeyServer, run_valkey
from web.http.limit_counters import RateLimiter
from web.http.limits import LIMITS

MAIL_KEYS = "*sign-in mail*"


@pytest.fixture(scope="module")
def redis() -> Iterator[ValkeyServer]:
    with run_valkey() as server:
        yield server


@pytest.mark.parametrize("counts_on", ["redis", "nothing", "a stopped redis"])
def test_one_address_gets_only_so_many_sign_in_mails(
    runtime: Runtime, harness: Harness, redis: ValkeyServer, counts_on: str
) -> None:
    redis.flush()
    urls = {"redis": redis.url, "nothing": "", "a stopped redis": "redis://127.0.0.1:1"}
    client = open_client(runtime, urls[counts_on])
    harness.link_runner(harness.add_athlete())
    most = MAILS.subject.amount

    seen = request_sign_in_links(
        client, most + 2, address_format="runner1@example.org", client_ip=CLIENT_IP
    )
    other = request_sign_in_links(
        client, 1, address_format="other@example.org", client_ip=CLIENT_IP
    )

    assert seen == [303] * most + [429] * 2
    assert other == [303]
    with runtime.db.read_only() as session:
        links = select(func.count()).where(
            MailLink.purpose == "sign in", MailLink.runner_id.is_not(None)
        )
        assert session.scalar(links) == most


def test_a_flood_from_elsewhere_keeps_nobody_from_signing_in(
    runtime: Runtime,
) -> None:
    client, most = open_client(runtime), MAILS.subject.amount

    flood = request_sign_in_links(
        client, most + 5, address_format="runner1@example.org", client_ip=CLIENT_IP
    )
    own = request_sign_in_links(
        client, 1, address_format="runner1@example.org", client_ip=OTHER_CLIENT_IP
    )

    assert flood[-1] == 429
    assert own == [303]


def test_one_address_gets_only_so_many_mails_from_everywhere(
    runtime: Runtime,
) -> None:
    client = open_client(runtime)

    seen = [
        status
        for number in range(10)
        for status in request_sign_in_links(
            client,
            2,
            address_format="runner1@example.org",
            client_ip=f"203.0.113.{number}",
        )
    ]

    assert seen == [303] * LIMITS["mail to one address"].subject.amount + [429] * 5


@pytest.mark.parametrize(
    "spelling",
    [
        "RUNNER1@example.org",
        "runner1@ｅxample.org",  # noqa: RUF001
        "runner1@exa\u00adm\u00adple.org",
        " runner1@example\u3002org ",
    ],
)
def test_other_spellings_of_an_address_are_the_same_one(
    runtime: Runtime, spelling: str
) -> None:
    client, most = open_client(runtime), MAILS.subject.amount
    request_sign_in_links(
        client, most, address_format="runner1@example.org", client_ip=CLIENT_IP
    )

    seen = request_sign_in_links(
        client, 1, address_format=spelling, client_ip=CLIENT_IP
    )

    assert seen == [429]


def test_one_network_gets_only_so_many_and_the_next_is_not_concerned(
    runtime: Runtime,
) -> None:
    assert MAILS.network
    client, most = open_client(runtime), MAILS.network.amount

    seen = request_sign_in_links(
        client, most + 1, address_format="runner{}@example.org", client_ip=CLIENT_IP
    )
    next_door = request_sign_in_links(
        client, 1, address_format="runner99@example.org", client_ip=OTHER_CLIENT_IP
    )
    this_machine = request_sign_in_links(
        client, most + 1, address_format="someone{}@example.org", client_ip="127.0.0.1"
    )

    assert seen == [303] * most + [429]
    assert next_door == [303]
    assert set(this_machine) == {303}


@pytest.mark.parametrize("counts_on", ["redis", "nothing"])
def test_what_is_refused_to_one_uses_up_nobody_elses_share(
    runtime: Runtime, redis: ValkeyServer, counts_on: str
) -> None:
    redis.flush()
    client = open_client(runtime, redis.url if counts_on == "redis" else "")
    assert MAILS.network
    flood, most = MAILS.network.amount + 5, MAILS.subject.amount

    seen = request_sign_in_links(
        client, flood, address_format="one@example.org", client_ip=CLIENT_IP
    )
    others = request_sign_in_links(
        client, 3, address_format="other{}@example.org", client_ip=CLIENT_IP
    )

    assert seen == [303] * most + [429] * (flood - most)
    assert others == [303] * 3


def test_a_network_that_is_refused_is_not_remembered_by_name(
    runtime: Runtime, redis: ValkeyServer
) -> None:
    redis.flush()
    assert MAILS.network
    client, most = open_client(runtime, redis.url), MAILS.network.amount

    request_sign_in_links(
        client, most + 5, address_format="runner{}@example.org", client_ip=CLIENT_IP
    )

    with Redis.from_url(redis.url) as store:
        keys = store.keys(MAIL_KEYS)
        assert len(keys) == most + 1  # each address, and the network


def test_two_web_processes_count_together(
    runtime: Runtime, redis: ValkeyServer
) -> None:
    redis.flush()
    one, other = open_client(runtime, redis.url), open_client(runtime, redis.url)
    most = MAILS.subject.amount

    seen = [
        *request_sign_in_links(
            one, most, address_format="a@example.org", client_ip=CLIENT_IP
        ),
        *request_sign_in_links(
            other, 1, address_format="A@Example.org", client_ip=CLIENT_IP
        ),
    ]

    assert seen == [303] * most + [429]


def test_redis_learns_neither_addresses_nor_links(
    runtime: Runtime, redis: ValkeyServer
) -> None:
    redis.flush()
    client = open_client(runtime, redis.url)

    request_sign_in_links(
        client, 3, address_format="runner1@example.org", client_ip=CLIENT_IP
    )

    with Redis.from_url(redis.url) as store:
        keys = store.keys()
        of_mails = store.keys(MAIL_KEYS)
        held = b" ".join(
            [*keys, *(b" ".join(store.lrange(key, 0, -1)) for key in keys)]
        )
        lasting = [key for key in keys if store.ttl(key) < 0]
    assert len(of_mails) == 2
    assert lasting == []
    for secret in (CLIENT_IP.encode(), b"runner1", b"example.org"):
        assert secret not in held


def test_redis_may_go_while_people_come(runtime: Runtime) -> None:
    with run_valkey() as server:
        client = open_client(runtime, server.url)
        before_it_went = request_sign_in_links(
            client, 1, address_format="a@example.org", client_ip=CLIENT_IP
        )
        server.stop()

        meanwhile = request_sign_in_links(
            client,
            MAILS.subject.amount,
            address_format="a@example.org",
            client_ip=CLIENT_IP,
        )
        refused = request_sign_in_links(
            client, 1, address_format="a@example.org", client_ip=CLIENT_IP
        )

    assert before_it_went == [303]
    assert set(meanwhile) == {303}
    assert refused == [429]


def test_there_is_room_again_after_the_time_that_was_named() -> None:
    counters, limit = RateLimiter(""), MAILS.subject

    waits = [counters.retry_after_s(limit, "who") for _ in range(limit.amount + 1)]

    assert waits[:-1] == [0] * limit.amount
    assert limit.get_expiry() - 1 <= waits[-1] <= limit.get_expiry()
