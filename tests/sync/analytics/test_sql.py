"""Times and days leave the database as the numbers that Python has for them."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import literal, select

from sync.analytics.dataset.load import day_number, epoch_s
from sync.models.base import UtcDateTime
from tests.sync.analytics.runner_data import RunnerData


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1979, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2000, 2, 29, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 59, 59, 999_000, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 0, 0, 1000, tzinfo=UTC),
        datetime(2099, 6, 15, 12, 34, 56, 789_123, tzinfo=UTC),
    ],
)
def test_a_moment_is_whole_seconds_since_1970(
    runner_data: RunnerData, moment: datetime
) -> None:
    at, day = literal(moment, UtcDateTime()), literal(moment.date())

    with runner_data.runtime.db.read_only() as session:
        found = session.execute(select(epoch_s(at), day_number(day))).one()

    assert tuple(found) == (int(moment.timestamp()), moment.toordinal())
