"""Calls to Strava in a runner's name, with one fresh token if the first is refused."""

from collections.abc import Callable
from typing import TypeVar

from sync.errors import AccessRevoked
from sync.runners.tokens import get_access_token
from sync.runtime import Runtime
from sync.strava.budget import sharing

CallResultT = TypeVar("CallResultT")


def call_strava(
    runtime: Runtime, runner_id: int, request: Callable[[str], CallResultT]
) -> CallResultT:
    """Call `request` with an access token; after a 401, once more with a new one.

    What it takes from the budget is this runner's share.
    """
    token = get_access_token(runtime, runner_id)
    with sharing(runner_id):
        try:
            return request(token)
        except AccessRevoked:
            return request(get_access_token(runtime, runner_id, refused=token))
