"""`moodmiles strava ...` against the simulated Strava and our real pages."""

from collections.abc import Iterator
from dataclasses import replace
from threading import Thread

import pytest
from sqlalchemy import func, select, update
from werkzeug.serving import make_server

from host import subscription
from host.checks import check_strava
from host.doctor import run_checks
from sync.inbox import subscription as stored_subscription
from sync.models import Event, Run
from sync.runtime import Runtime
from sync.strava import RemoteSubscription
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.harness import Harness
from tests.support.servers import HOST, free_port
from web.app import create_app


def with_public_url(runtime: Runtime, port: int) -> Runtime:
    settings = runtime.settings.model_copy(
        update={"public_url": f"http://{HOST}:{port}"}
    )
    strava = HttpStrava(settings, budget=Budget("", clock=runtime.now))
    return replace(runtime, settings=settings, strava=strava)


@pytest.fixture
def served_runtime(runtime: Runtime) -> Iterator[Runtime]:
    """Serve our pages, so that Strava's handshake finds them."""
    port = free_port()
    home = with_public_url(runtime, port)
    server = make_server(HOST, port, create_app(home), threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield home
    server.shutdown()
    thread.join()
    server.server_close()


def get_status(runtime: Runtime) -> str:
    return str(subscription.load_status(runtime))


def test_subscribing_is_done_once(served_runtime: Runtime) -> None:
    first = subscription.subscribe(served_runtime)
    second = subscription.subscribe(served_runtime)

    assert first.startswith("Subscribed (number")
    assert second.startswith("Subscribed already (number")
    assert get_status(served_runtime).endswith("Strava tells us about new runs.")
    assert check_strava(served_runtime.settings) == get_status(served_runtime)


def test_an_address_of_before_is_ours_however_it_was_written(
    served_runtime: Runtime,
) -> None:
    """Older versions left a usual port and capital letters in the address."""
    ours = subscription.build_callback_url(served_runtime.settings)
    before = served_runtime.strava.subscribe(
        ours.replace("http://127.0.0.1:", "HTTP://127.0.0.1:"),
        served_runtime.settings.require_secret("strava_verify_token"),
    )

    assert get_status(served_runtime).startswith(f"Subscribed (number {before.id})")
    assert subscription.subscribe(served_runtime).startswith("Subscribed already")


def renew_by_hand(runtime: Runtime) -> RemoteSubscription:
    """Do by curl what hosts do: away with it, and made anew at the same address."""
    for existing in runtime.strava.subscriptions():
        runtime.strava.unsubscribe(existing.id)
    return runtime.strava.subscribe(
        subscription.build_callback_url(runtime.settings),
        runtime.settings.require_secret("strava_verify_token"),
    )


def test_a_number_whose_events_are_not_taken_is_told_and_mended(
    served_runtime: Runtime,
) -> None:
    first = subscription.subscribe(served_runtime)
    renewed = renew_by_hand(served_runtime)
    status = get_status(served_runtime)
    [advice] = run_checks(served_runtime.settings, ["strava"])
    subscription.subscribe(served_runtime)

    assert str(renewed.id) not in first
    assert status.startswith(f"Strava's subscription has number {renewed.id}, and")
    assert "run `moodmiles strava subscribe`" in status
    assert advice.advice == status
    assert get_status(served_runtime).startswith(f"Subscribed (number {renewed.id})")
    assert subscription.load_status(served_runtime).is_well


def test_tables_that_remember_no_number_are_told_and_mended(
    served_runtime: Runtime,
) -> None:
    subscription.subscribe(served_runtime)
    stored_subscription.clear(served_runtime)
    status = subscription.load_status(served_runtime)
    subscription.subscribe(served_runtime)

    assert not status.is_well
    assert "events of any number are taken; run `moodmiles strava subs" in str(status)
    assert subscription.load_status(served_runtime).is_well


def test_a_subscription_for_another_address_is_moved_here(
    served_runtime: Runtime,
) -> None:
    subscription.subscribe(served_runtime)
    elsewhere = with_public_url(served_runtime, free_port())

    assert get_status(elsewhere).startswith("Subscribed elsewhere")

    secret = served_runtime.settings.strava_webhook_secret
    assert secret is not None
    assert secret.get_secret_value() not in get_status(elsewhere)
    assert "run `moodmiles strava subscribe`" in get_status(elsewhere)


def test_the_old_address_is_given_up(served_runtime: Runtime) -> None:
    before = served_runtime.strava.subscribe(
        f"{subscription.build_callback_url(served_runtime.settings)}?old=1",
        served_runtime.settings.require_secret("strava_verify_token"),
    )

    subscription.subscribe(served_runtime)

    [now] = served_runtime.strava.subscriptions()
    assert now.id != before.id
    assert now.callback_url == subscription.build_callback_url(served_runtime.settings)


def test_unsubscribing_leaves_none(served_runtime: Runtime) -> None:
    subscription.subscribe(served_runtime)

    assert subscription.unsubscribe(served_runtime) == "Unsubscribed."
    assert subscription.unsubscribe(served_runtime) == "There was no subscription."
    assert get_status(served_runtime).startswith("Not subscribed")


def test_there_may_be_nothing_to_read_again(served_runtime: Runtime) -> None:
    assert subscription.retry_failed(served_runtime) == "Nothing has been given up."


def test_what_was_given_up_goes_back_to_the_workers(
    harness: Harness, runtime: Runtime
) -> None:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    run = harness.finish_run(athlete)
    harness.deliver_event(athlete, run.id, "create")
    park_event(runtime, "StravaUnavailable")
    harness.process_all_due()
    assert read_subscription_id(runtime) == 0

    message = subscription.retry_failed(runtime)
    harness.process_all_due()

    assert message.endswith("1 events are with the workers again.")
    assert read_subscription_id(runtime) == 1


def test_what_a_runner_took_back_is_not_tried_again(
    harness: Harness, runtime: Runtime
) -> None:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.deliver_event(athlete, 1, "create")
    park_event(runtime, "AccessRevoked")

    assert subscription.retry_failed(runtime) == "Nothing has been given up."


def park_event(runtime: Runtime, reason: str) -> None:
    with runtime.db.transaction() as session:
        session.execute(update(Event).values(due_at=None, parked_for=reason))


def read_subscription_id(runtime: Runtime) -> int:
    with runtime.db.read_only() as session:
        return session.scalar(select(func.count(Run.id))) or 0
