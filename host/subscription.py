"""`moodmiles strava ...`: the subscription to Strava's events, and retries."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace

from typing_extensions import override

from host.configuration import load_effective_settings
from sync.inbox import dead_letters, subscription
from sync.runs import quarantine
from sync.runtime import Runtime, build
from sync.setting_urls import is_same_web_url
from sync.settings import Settings
from sync.strava import RemoteSubscription


def run(arguments: SimpleNamespace) -> int:
    runtime = build(load_effective_settings(arguments))
    match arguments.command:
        case "strava subscribe":
            print(subscribe(runtime))
        case "strava unsubscribe":
            print(unsubscribe(runtime))
        case "strava retry":
            print(retry_failed(runtime))
        case _:
            print(load_status(runtime))
    return 0


def subscribe(runtime: Runtime) -> str:
    """Subscribe at our address; a subscription for another address is replaced."""
    our_callback_url = build_callback_url(runtime.settings)
    strava = runtime.strava
    for existing in strava.subscriptions():
        if is_same_web_url(existing.callback_url, our_callback_url):
            subscription.save(runtime, existing.id)
            return f"Subscribed already (number {existing.id})."
        strava.unsubscribe(existing.id)
    # Events of the new subscription may come before its number is saved.
    subscription.clear(runtime)
    created = strava.subscribe(
        our_callback_url, runtime.settings.require_secret("strava_verify_token")
    )
    subscription.save(runtime, created.id)
    return f"Subscribed (number {created.id})."


def unsubscribe(runtime: Runtime) -> str:
    subscriptions = runtime.strava.subscriptions()
    for existing in subscriptions:
        runtime.strava.unsubscribe(existing.id)
    subscription.clear(runtime)
    return "Unsubscribed." if subscriptions else "There was no subscription."


def retry_failed(runtime: Runtime) -> str:
    """Retry quarantined records now; hand dead letters to the workers again."""
    records = quarantine.retry_quarantined(runtime)
    revived = dead_letters.retry_failed(runtime)
    if not records.tried and not revived.events and not revived.other_work:
        return "Nothing has been given up."
    other_text = (
        f" So is other work, {revived.other_work} in number."
        if revived.other_work
        else ""
    )
    return (
        f"Tried {records.tried} records again; "
        f"{records.unreadable} of them still cannot be read. "
        f"{revived.events} events are with the workers again.{other_text}"
    )


@dataclass(frozen=True, slots=True)
class SubscriptionStatus:
    """What Strava has subscribed us to, and of what we take events.

    `stored_id` is the number that decides which events are taken; None takes any.
    """

    remote: Sequence[RemoteSubscription]
    stored_id: int | None
    callback_url: str

    @property
    def ours(self) -> RemoteSubscription | None:
        """Return the subscription that leads here."""
        return next(
            (
                each
                for each in self.remote
                if is_same_web_url(each.callback_url, self.callback_url)
            ),
            None,
        )

    @property
    def is_well(self) -> bool:
        return self.ours is not None and self.ours.id == self.stored_id

    @override
    def __str__(self) -> str:
        """Return one line for the host; the address is secret."""
        if self.ours is not None and self.ours.id == self.stored_id:
            return (
                f"Subscribed (number {self.ours.id}): Strava tells us about new runs."
            )
        if self.ours is not None and self.stored_id is not None:
            return (
                f"Strava's subscription has number {self.ours.id}, and events are "
                f"taken of number {self.stored_id} alone, so none of its own is; run "
                "`moodmiles strava subscribe` to take those of the new number."
            )
        if self.ours is not None:
            return (
                f"Subscribed (number {self.ours.id}), and events of any number are "
                "taken; run `moodmiles strava subscribe` to take those of this alone."
            )
        if self.remote:
            return (
                f"Subscribed elsewhere (number {self.remote[0].id}); "
                "run `moodmiles strava subscribe` to move it here."
            )
        return "Not subscribed; run `moodmiles strava subscribe`."


def load_status(runtime: Runtime) -> SubscriptionStatus:
    """Ask Strava and the tables; raises what Strava's refusals mean."""
    return SubscriptionStatus(
        remote=runtime.strava.subscriptions(),
        stored_id=subscription.load_id(runtime),
        callback_url=build_callback_url(runtime.settings),
    )


def build_callback_url(settings: Settings) -> str:
    secret = settings.require_secret("strava_webhook_secret")
    return f"{settings.public_url}/hooks/strava/{secret}"
