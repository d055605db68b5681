"""Asking Strava in a runner's name, with one fresh token if the first is refused."""

from collections.abc import Callable
from typing import TypeVar

from sync.errors import AccessRevoked
from sync.runners.tokens import access_token
from sync.runtime import Runtime

Answer = TypeVar("Answer")


def ask(runtime: Runtime, runner_id: int, question: Callable[[str], Answer]) -> Answer:
    """Call `question` with an access token; after a 401, once more with a new one."""
    token = access_token(runtime, runner_id)
    try:
        return question(token)
    except AccessRevoked:
        return question(access_token(runtime, runner_id, refused=token))
