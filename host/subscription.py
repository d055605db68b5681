"""`moodmiles strava ...`: whether Strava tells us about new runs, and where to."""

from argparse import Namespace

from host.configuration import effective
from sync.inbox import dead_letters, subscription
from sync.runs import quarantine
from sync.runtime import Runtime, build
from sync.settings import Settings
from sync.strava import Strava


def run(arguments: Namespace) -> int:
    runtime = build(effective(arguments))
    match arguments.command:
        case "strava subscribe":
            print(subscribe(runtime))
        case "strava unsubscribe":
            print(unsubscribe(runtime))
        case "strava retry":
            print(retry(runtime))
        case _:
            print(status(runtime.settings, runtime.strava))
    return 0


def subscribe(runtime: Runtime) -> str:
    """Subscribe at our address; a subscription for another address is replaced."""
    here = callback_url(runtime.settings)
    strava = runtime.strava
    for known in strava.subscriptions():
        if known.callback_url == here:
            subscription.remember(runtime, known.id)
            return f"Subscribed already (number {known.id})."
        strava.unsubscribe(known.id)
    # Events of the new number may come before we have noted it.
    subscription.forget(runtime)
    made = strava.subscribe(here, runtime.settings.secret("strava_verify_token"))
    subscription.remember(runtime, made.id)
    return f"Subscribed (number {made.id})."


def unsubscribe(runtime: Runtime) -> str:
    known = runtime.strava.subscriptions()
    for one in known:
        runtime.strava.unsubscribe(one.id)
    subscription.forget(runtime)
    return "Unsubscribed." if known else "There was no subscription."


def retry(runtime: Runtime) -> str:
    """Try again what could not be read, and let workers try what was given up."""
    tried, left = quarantine.retry(runtime)
    events = dead_letters.retry(runtime)
    if not tried and not events:
        return "Nothing has been given up."
    return (
        f"Tried {tried} records again; {left} of them still cannot be read. "
        f"{events} events are with the workers again."
    )


def status(settings: Settings, strava: Strava) -> str:
    """Say in one line where Strava sends its events; never the secret address."""
    here = callback_url(settings)
    for known in strava.subscriptions():
        if known.callback_url == here:
            return f"Subscribed (number {known.id}): Strava tells us about new runs."
        return (
            f"Subscribed elsewhere (number {known.id}); "
            "run `moodmiles strava subscribe` to move it here."
        )
    return "Not subscribed; run `moodmiles strava subscribe`."


def callback_url(settings: Settings) -> str:
    secret = settings.secret("strava_webhook_secret")
    return f"{settings.public_url}/hooks/strava/{secret}"
