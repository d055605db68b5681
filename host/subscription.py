"""`moodmiles strava ...`: whether Strava tells us about new runs, and where to."""

from argparse import Namespace

from host.configuration import effective
from sync.settings import Settings
from sync.strava import Strava
from sync.strava.client import HttpStrava


def run(arguments: Namespace) -> int:
    settings = effective(arguments)
    strava = HttpStrava(settings)
    match arguments.command:
        case "strava subscribe":
            print(subscribe(settings, strava))
        case "strava unsubscribe":
            print(unsubscribe(strava))
        case _:
            print(status(settings, strava))
    return 0


def subscribe(settings: Settings, strava: Strava) -> str:
    """Subscribe at our address; a subscription for another address is replaced."""
    here = callback_url(settings)
    for known in strava.subscriptions():
        if known.callback_url == here:
            return f"Subscribed already (number {known.id})."
        strava.unsubscribe(known.id)
    made = strava.subscribe(here, settings.secret("strava_verify_token"))
    return f"Subscribed (number {made.id})."


def unsubscribe(strava: Strava) -> str:
    known = strava.subscriptions()
    for subscription in known:
        strava.unsubscribe(subscription.id)
    return "Unsubscribed." if known else "There was no subscription."


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
