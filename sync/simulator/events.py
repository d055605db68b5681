"""Webhook events to the app: queued, dropped, doubled, delayed, tried three times."""

import hashlib
import hmac
import json
from dataclasses import replace
from threading import Thread
from time import monotonic
from typing import Any

import requests

from sync.simulator.records import DeliveryState, OutgoingEvent
from sync.simulator.world import World

ATTEMPTS = 3
DEADLINE_S = 2.0
REORDER_DELAY_S = 3.0
POLL_S = 0.2
LOG_LENGTH = 500


def enqueue_event(world: World, payload: dict[str, Any]) -> None:
    """Queue an event if the app is subscribed; the settings may drop or double it."""
    subscription = world.subscription
    if subscription is None:
        return
    body = payload | {
        "event_time": world.now_s(),
        "subscription_id": subscription.id,
    }
    delivery = world.delivery
    copies = 2 if world.rng.random() < delivery.double else 1
    for _ in range(copies):
        extra_delay_s = (
            REORDER_DELAY_S if world.rng.random() < delivery.reorder else 0.0
        )
        is_dropped = world.rng.random() < delivery.drop
        world.events.put(
            OutgoingEvent(
                id=world.next_id("event"),
                subscription_id=subscription.id,
                body=body,
                due_s=world.now_epoch() + delivery.delay_s + extra_delay_s,
                state="dropped" if is_dropped else "waiting",
            )
        )
    world.condition.notify_all()


def list_pending_events(world: World) -> list[OutgoingEvent]:
    """Return the events that are not delivered yet, the earliest due first."""
    queued = (event for event in world.events if event.state == "waiting")
    return sorted(queued, key=lambda event: (event.due_s, event.id))


def create_http_session() -> requests.Session:
    """Return a session that ignores the proxy settings of this machine."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Connection"] = "close"
    return session


class EventSender:
    """Delivers due events to the callback, one after the other, in a thread."""

    def __init__(
        self,
        world: World,
        http: requests.Session | None = None,
        *,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._world = world
        self._deadline_s = deadline_s
        self._http = http or create_http_session()
        self._stopped = False
        self._thread = Thread(target=self._run, name="event-sender", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._world.condition:
            self._stopped = True
            self._world.condition.notify_all()
        self._thread.join(DEADLINE_S * 2)

    def deliver_due_events(self) -> int:
        """Deliver the events that are due now; return the number of attempts."""
        attempts = 0
        while event := self._find_next_due():
            attempts += 1
            subscription = self._world.subscription
            if subscription is None or subscription.id != event.subscription_id:
                self._record_attempt(event, "dropped", "unsubscribed")
                continue
            result = self._post(subscription.callback_url, event.body)
            if result == "200":
                self._record_attempt(event, "delivered", result)
            elif event.attempts + 1 < ATTEMPTS:
                self._record_attempt(event, "waiting", result)
            else:
                self._record_attempt(event, "failed", result)
        return attempts

    def _run(self) -> None:
        while True:
            self.deliver_due_events()
            with self._world.condition:
                if self._stopped:
                    return
                if self._find_next_due() is None:
                    # The world's clock may jump, so a wait for it is never long.
                    pending = list_pending_events(self._world)
                    self._world.condition.wait(POLL_S if pending else None)

    def _find_next_due(self) -> OutgoingEvent | None:
        with self._world.condition:
            first = next(iter(list_pending_events(self._world)), None)
            if first is None or self._stopped or first.due_s > self._world.now_epoch():
                return None
            return first

    def _post(self, url: str, body: dict[str, Any]) -> str:
        payload = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        secret, now_s = self._world.app.signing_secret, self._world.now_s()
        if secret is not None:
            signed = f"{now_s}.".encode() + payload
            signature = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
            headers["X-Strava-Signature"] = f"t={now_s},v1={signature}"
        started = monotonic()
        try:
            response = self._http.post(
                url,
                data=payload,
                headers=headers,
                timeout=self._deadline_s,
                allow_redirects=False,
            )
        except requests.Timeout:
            return "no answer in time"
        except requests.RequestException:
            return "no connection"
        is_in_time = monotonic() - started <= self._deadline_s
        return str(response.status_code) if is_in_time else "no answer in time"

    def _record_attempt(
        self, event: OutgoingEvent, state: DeliveryState, result: str
    ) -> None:
        with self._world.transaction():
            self._world.events.put(
                replace(
                    event,
                    attempts=event.attempts + 1,
                    state=state,
                    answer=result,
                    due_s=self._world.now_epoch() + self._world.delivery.retry_gap_s,
                )
            )
            self._world.increment_counter(f"events {state}")
            settled_ids = [
                event.id for event in self._world.events if event.state != "waiting"
            ]
            for event_id in settled_ids[:-LOG_LENGTH]:
                self._world.events.remove(event_id)
