"""A process that takes from the shared budget until it must wait, and says how much."""

import sys
from datetime import UTC, datetime

from sync.errors import RateLimited
from sync.strava import Lane
from sync.strava.budget import Budget
from tests.support.servers import TIMEOUT_S

NOON = datetime(2026, 10, 4, 12, tzinfo=UTC)


def consume_budget(budget: Budget, lane: Lane) -> int:
    count = 0
    try:
        while True:
            budget.reserve(lane)
            count += 1
    except RateLimited:
        return count


if __name__ == "__main__":
    budget = Budget(sys.argv[1], clock=lambda: NOON, timeout_s=TIMEOUT_S)
    sys.stdout.write(str(consume_budget(budget, Lane.WAITING)))
