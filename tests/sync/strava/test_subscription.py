"""One subscription, made once, shown and ended."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from sync.errors import MoodmilesError
from sync.settings import Settings
from sync.simulator.serving import serve_in_thread
from sync.simulator.world import World
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.clock import ManualClock
from tests.support.http_listener import run_http_listener


def test_a_subscription_is_made_once_shown_and_ended() -> None:
    with run_http_listener() as app, serve_in_thread(World()) as site:
        app.headers = {"Content-Type": "application/json"}
        app.body = lambda path: json.dumps(
            {"hub.challenge": parse_qs(urlsplit(path).query)["hub.challenge"][0]}
        )
        settings = Settings(
            strava_client_id=1,
            strava_client_secret="simulated",
            strava_site_url=site,
            strava_api_url=f"{site}/api/v3",
        )
        strava = HttpStrava(settings, budget=Budget("", clock=ManualClock()))
        made = strava.subscribe(f"{app.url}/hooks", "verify")
        again = strava.subscribe(f"{app.url}/hooks", "verify")
        with pytest.raises(MoodmilesError, match="already exists"):
            strava.subscribe(f"{app.url}/others", "verify")

        assert made == again
        assert strava.subscriptions() == [made]
        strava.unsubscribe(made.id)
        assert strava.subscriptions() == []
