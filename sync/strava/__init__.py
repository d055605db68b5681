"""Strava's API: the only package that talks to Strava.

Importing this package is cheap: stravalib takes a second to import, so only the
call that needs it does.
"""

from sync.strava.api import (
    SCOPE,
    SCOPE_WITH_PRIVATE,
    Activity,
    ActivityPage,
    BudgetState,
    Grant,
    Lane,
    Meter,
    OtherActivity,
    RemoteRun,
    RemoteSubscription,
    Strava,
    Tokens,
    UnreadableRecord,
)

__all__ = [
    "SCOPE",
    "SCOPE_WITH_PRIVATE",
    "Activity",
    "ActivityPage",
    "BudgetState",
    "Grant",
    "Lane",
    "Meter",
    "OtherActivity",
    "RemoteRun",
    "RemoteSubscription",
    "Strava",
    "Tokens",
    "UnreadableRecord",
]
