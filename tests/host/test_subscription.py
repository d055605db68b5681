"""`moodmiles strava ...` against the simulated Strava and our real pages."""

from collections.abc import Iterator
from dataclasses import replace
from threading import Thread

import pytest
from sqlalchemy import func, select, update
from werkzeug.serving import make_server

from host import subscription
from host.checks import strava
from sync.models import Event, Run
from sync.runtime import Runtime
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.harness import Stage
from tests.support.servers import HOST, free_port
from web.app import create_app


def at_home(runtime: Runtime, port: int) -> Runtime:
    settings = runtime.settings.model_copy(
        update={"public_url": f"http://{HOST}:{port}"}
    )
    strava = HttpStrava(settings, budget=Budget("", clock=runtime.now))
    return replace(runtime, settings=settings, strava=strava)


@pytest.fixture
def served(runtime: Runtime) -> Iterator[Runtime]:
    """Serve our pages, so that Strava's handshake finds them."""
    port = free_port()
    home = at_home(runtime, port)
    server = make_server(HOST, port, create_app(home), threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield home
    server.shutdown()
    thread.join()
    server.server_close()


def status(runtime: Runtime) -> str:
    return subscription.status(runtime.settings, runtime.strava)


def test_subscribing_is_done_once(served: Runtime) -> None:
    first = subscription.subscribe(served)
    second = subscription.subscribe(served)

    assert first.startswith("Subscribed (number")
    assert second.startswith("Subscribed already (number")
    assert status(served).endswith("Strava tells us about new runs.")
    assert strava(served.settings) == status(served)


def test_a_subscription_for_another_address_is_moved_here(served: Runtime) -> None:
    subscription.subscribe(served)
    elsewhere = at_home(served, free_port())

    assert status(elsewhere).startswith("Subscribed elsewhere")

    secret = served.settings.strava_webhook_secret
    assert secret is not None
    assert secret.get_secret_value() not in status(elsewhere)
    assert "run `moodmiles strava subscribe`" in status(elsewhere)


def test_the_old_address_is_given_up(served: Runtime) -> None:
    before = served.strava.subscribe(
        f"{subscription.callback_url(served.settings)}?old=1",
        served.settings.secret("strava_verify_token"),
    )

    subscription.subscribe(served)

    [now] = served.strava.subscriptions()
    assert now.id != before.id
    assert now.callback_url == subscription.callback_url(served.settings)


def test_unsubscribing_leaves_none(served: Runtime) -> None:
    subscription.subscribe(served)

    assert subscription.unsubscribe(served) == "Unsubscribed."
    assert subscription.unsubscribe(served) == "There was no subscription."
    assert status(served).startswith("Not subscribed")


def test_there_may_be_nothing_to_read_again(served: Runtime) -> None:
    assert subscription.retry(served) == "Nothing has been given up."


def test_what_was_given_up_goes_back_to_the_workers(
    stage: Stage, runtime: Runtime
) -> None:
    athlete = stage.athlete()
    stage.link(athlete)
    stage.work()
    run = stage.run(athlete)
    stage.tell(athlete, run.id, "create")
    park(runtime, "StravaUnavailable")
    stage.work()
    assert stored(runtime) == 0

    said = subscription.retry(runtime)
    stage.work()

    assert said.endswith("1 events are with the workers again.")
    assert stored(runtime) == 1


def test_what_a_runner_took_back_is_not_tried_again(
    stage: Stage, runtime: Runtime
) -> None:
    athlete = stage.athlete()
    stage.link(athlete)
    stage.tell(athlete, 1, "create")
    park(runtime, "AccessRevoked")

    assert subscription.retry(runtime) == "Nothing has been given up."


def park(runtime: Runtime, reason: str) -> None:
    with runtime.db.transaction() as session:
        session.execute(update(Event).values(due_at=None, parked_for=reason))


def stored(runtime: Runtime) -> int:
    with runtime.db.reading() as session:
        return session.scalar(select(func.count(Run.id))) or 0
