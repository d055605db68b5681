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
from tests.conftest import get_engine, prepare_empty_database
from tests.support.clock import ManualClock
from tests.support.recording_queue import RecordingQueue
from tests.sync.analytics.runner_data import RunnerData


@pytest.fixture(params=["sqlite", "postgresql"])
def runner_data(
    request: pytest.FixtureRequest, clock: ManualClock
) -> Iterator[RunnerData]:
    url = prepare_empty_database(request, request.param)
    db = Database(get_engine(url), RecordingQueue(), clock=clock)
    clock.at = datetime(2026, 6, 1, 12, tzinfo=UTC)
    configured = Settings.model_construct(strava_api_url="http://127.0.0.1:1")
    sealer = Sealer(["a key for tests that is long enough"])
    strava = HttpStrava(configured, budget=Budget("", clock=clock))
    runtime = Runtime(configured, db, RecordingQueue(), strava, sealer, clock)
    yield RunnerData(runtime, clock)
    db.close()
