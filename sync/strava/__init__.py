"""Strava, as we see it: the only package that talks to it.

Importing this package is cheap on purpose: stravalib takes a second and is
loaded by the call that needs it.
"""

from sync.strava.api import (
    SCOPE,
    SCOPE_WITH_PRIVATE,
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
