"""The pages that are for the person at this machine: mailbox, states, numbers."""

from flask import request

from sync.errors import MoodmilesError
from sync.local_requests import is_local_request


class NotLocal(MoodmilesError):
    """A page for this machine alone was asked for from elsewhere, or by a proxy."""


def is_local() -> bool:
    return is_local_request(request.environ)


def require_local_request() -> None:
    """Raise `NotLocal` unless this request comes from this very machine."""
    if not is_local():
        raise NotLocal("This page is for the person at this machine.")
