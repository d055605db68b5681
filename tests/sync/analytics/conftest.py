"""Runners whose figures are looked at."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from sync.crypto import Sealer
from sync.database import Database
from sync.runtime import Runtime
from sync.settings import Settings
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.conftest import empty_tables, engine_for
from tests.support.clock import HandClock
from tests.support.recording_queue import RecordingQueue
from tests.sync.analytics.runner_data import Book


@pytest.fixture(params=["sqlite", "postgresql"])
def book(request: pytest.FixtureRequest, clock: HandClock) -> Iterator[Book]:
    url = empty_tables(request, request.param)
    db = Database(engine_for(url), RecordingQueue(), clock=clock)
    clock.at = datetime(2026, 6, 1, 12, tzinfo=UTC)
    configured = Settings.model_construct(strava_api_url="http://127.0.0.1:1")
    sealer = Sealer(["a key for tests that is long enough"])
    strava = HttpStrava(configured, budget=Budget("", clock=clock))
    runtime = Runtime(configured, db, RecordingQueue(), strava, sealer, clock)
    yield Book(runtime, clock)
    db.close()
