"""Who asks too often is told so in a sentence, and uses up nobody else's share."""

from collections.abc import Iterator

import pytest
from redis import Redis
from sqlalchemy import func, select

from sync.models import MailLink
from sync.runtime import Runtime
from tests.support.concurrent_clients import HERE, MAILS, THERE, ask_for_links, on
from tests.support.harness import Stage
from tests.support.servers import Valkey, valkey
from web.http.limit_counters import Counters


@pytest.fixture(scope="module")
def redis() -> Iterator[Valkey]:
    with valkey() as server:
        yield server


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


def test_there_is_room_again_after_the_time_that_was_named() -> None:
    counters, limit = Counters(""), MAILS.who

    waits = [counters.wait_s(limit, "who") for _ in range(limit.amount + 1)]

    assert waits[:-1] == [0] * limit.amount
    assert limit.get_expiry() - 1 <= waits[-1] <= limit.get_expiry()
