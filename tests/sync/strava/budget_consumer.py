"""A process that takes from the shared budget until it must wait, and says how much."""

import sys
from datetime import UTC, datetime

from sync.errors import RateLimited
from sync.strava import Lane
from sync.strava.budget import Budget
from tests.support.servers import PATIENCE_S

NOON = datetime(2026, 10, 4, 12, tzinfo=UTC)


def spend(budget: Budget, lane: Lane) -> int:
    taken = 0
    try:
        while True:
            budget.reserve(lane)
            taken += 1
    except RateLimited:
        return taken


if __name__ == "__main__":
    budget = Budget(sys.argv[1], clock=lambda: NOON, answer_s=PATIENCE_S)
    sys.stdout.write(str(spend(budget, Lane.WAITING)))
