"""How far the import of the past is, in words."""

from typing import TypedDict

from sync.runners.account import Import
from web.formats import in_zone


class Progress(TypedDict):
    is_done: bool
    runs: int
    of_about: str
    text: str


def progress_of(importing: Import, zone: str) -> Progress:
    return {
        "is_done": importing.is_done,
        "runs": importing.runs_stored,
        "of_about": _of_about(importing),
        "text": _text(importing, zone),
    }


def _of_about(importing: Import) -> str:
    """Say how many there will be, where that can be told and is not passed yet."""
    total = importing.about_total
    if importing.is_done or total is None or total <= importing.runs_stored:
        return "so far"
    return f"of about {total:,}"


def _text(importing: Import, zone: str) -> str:
    if importing.is_done:
        return "All your runs are here."
    if importing.waiting_for == "limit":
        return (
            f"Strava asked us to slow down; the import goes on{_at(importing, zone)}."
        )
    if importing.waiting_for:
        return f"Strava isn’t answering; the import tries again{_at(importing, zone)}."
    if importing.reached:
        return f"Now at {importing.reached:%B %Y}."
    return "Asking Strava for your runs."


def _at(importing: Import, zone: str) -> str:
    if importing.due_at is None:
        return " soon"
    local = in_zone(importing.due_at, zone)
    return f" at {local:%H:%M}{'' if zone != 'UTC' else ' UTC'}"
