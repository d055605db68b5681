"""Strava, as we see it: the only package that talks to it.

Importing this package is cheap on purpose: stravalib takes a second and is
loaded by the call that needs it.
"""

from sync.strava.api import (
    SCOPE,
    SCOPE_WITH_PRIVATE,
    BudgetState,
    Grant,
    Lane,
    Meter,
    NotARun,
    Page,
    RemoteRun,
    Strava,
    Subscription,
    Tokens,
    Unreadable,
)

__all__ = [
    "SCOPE",
    "SCOPE_WITH_PRIVATE",
    "BudgetState",
    "Grant",
    "Lane",
    "Meter",
    "NotARun",
    "Page",
    "RemoteRun",
    "Strava",
    "Subscription",
    "Tokens",
    "Unreadable",
]
