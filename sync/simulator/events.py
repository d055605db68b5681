"""Events on their way to the app: queued, lost, doubled, late, tried three times."""

import hashlib
import hmac
import json
from dataclasses import replace
from threading import Thread
from time import monotonic
from typing import Any

import requests

from sync.simulator.records import Delivered, Event
from sync.simulator.world import World

ATTEMPTS = 3
DEADLINE_S = 2.0
HELD_BACK_S = 3.0
LOOK_AGAIN_S = 0.2
LOG_LENGTH = 500


def announce(world: World, happened: dict[str, Any]) -> None:
    """Queue an event for the app, if it is subscribed and luck is with it."""
    subscription = world.subscription
    if subscription is None:
        return
    body = happened | {
        "event_time": world.now_s(),
        "subscription_id": subscription.id,
    }
    delivery = world.delivery
    copies = 2 if world.random.random() < delivery.double else 1
    for _ in range(copies):
        held_s = HELD_BACK_S if world.random.random() < delivery.reorder else 0.0
        lost = world.random.random() < delivery.drop
        world.events.put(
            Event(
                id=world.next_id("event"),
                subscription_id=subscription.id,
                body=body,
                due_s=world.time() + delivery.delay_s + held_s,
                state="dropped" if lost else "waiting",
            )
        )
    world.news.notify_all()


def waiting(world: World) -> list[Event]:
    """List what is still to be delivered, the most urgent first."""
    queued = (event for event in world.events if event.state == "waiting")
    return sorted(queued, key=lambda event: (event.due_s, event.id))


def plain_session() -> requests.Session:
    """Make a session that no proxy setting of this machine can lead astray."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Connection"] = "close"
    return session


class Postman:
    """Carries due events to the callback, one after the other."""

    def __init__(
        self,
        world: World,
        http: requests.Session | None = None,
        *,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._world = world
        self._deadline_s = deadline_s
        self._http = http or plain_session()
        self._stopped = False
        self._thread = Thread(target=self._work, name="postman", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._world.news:
            self._stopped = True
            self._world.news.notify_all()
        self._thread.join(DEADLINE_S * 2)

    def deliver_due(self) -> int:
        """Deliver what is due right now and say how many attempts that took."""
        attempts = 0
        while event := self._next_due():
            self._attempt(event)
            attempts += 1
        return attempts

    def _work(self) -> None:
        while True:
            self.deliver_due()
            with self._world.news:
                if self._stopped:
                    return
                if self._next_due() is None:
                    # The world's clock may jump, so a wait for it is never long.
                    more = waiting(self._world)
                    self._world.news.wait(LOOK_AGAIN_S if more else None)

    def _next_due(self) -> Event | None:
        with self._world.news:
            first = next(iter(waiting(self._world)), None)
            if first is None or self._stopped or first.due_s > self._world.time():
                return None
            return first

    def _attempt(self, event: Event) -> None:
        subscription = self._world.subscription
        if subscription is None or subscription.id != event.subscription_id:
            self._settle(event, "dropped", "unsubscribed")
            return
        answer = self._post(subscription.callback_url, event.body)
        if answer == "200":
            self._settle(event, "delivered", answer)
        elif event.attempts + 1 < ATTEMPTS:
            self._settle(event, "waiting", answer)
        else:
            self._settle(event, "failed", answer)

    def _post(self, url: str, body: dict[str, Any]) -> str:
        raw = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | self._signature(raw)
        began = monotonic()
        try:
            answer = self._http.post(
                url,
                data=raw,
                headers=headers,
                timeout=self._deadline_s,
                allow_redirects=False,
            )
        except requests.Timeout:
            return "no answer in time"
        except requests.RequestException:
            return "no connection"
        in_time = monotonic() - began <= self._deadline_s
        return str(answer.status_code) if in_time else "no answer in time"

    def _signature(self, raw: bytes) -> dict[str, str]:
        secret = self._world.app.signing_secret
        if secret is None:
            return {}
        now_s = self._world.now_s()
        signed = hmac.new(secret.encode(), f"{now_s}.".encode() + raw, hashlib.sha256)
        return {"X-Strava-Signature": f"t={now_s},v1={signed.hexdigest()}"}

    def _settle(self, event: Event, state: Delivered, answer: str) -> None:
        with self._world.change():
            self._world.events.put(
                replace(
                    event,
                    attempts=event.attempts + 1,
                    state=state,
                    answer=answer,
                    due_s=self._world.time() + self._world.delivery.retry_gap_s,
                )
            )
            self._world.count(f"events {state}")
            _trim_log(self._world)


def _trim_log(world: World) -> None:
    done = [event.id for event in world.events if event.state != "waiting"]
    for event_id in done[:-LOG_LENGTH]:
        world.events.remove(event_id)
