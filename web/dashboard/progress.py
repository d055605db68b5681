"""How far the import of the past is, in words."""

from typing import TypedDict

from sync.language import gettext as _
from sync.runners.account import Import
from web.formats import clock, in_zone, month_of_year, thousands


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
        return _("so far")
    return _("of about %(total)s", total=thousands(total))


def _text(importing: Import, zone: str) -> str:
    if importing.is_done:
        return _("All your runs are here.")
    if importing.waiting_for == "limit":
        return _(
            "Strava asked us to slow down; the import goes on %(soon)s.",
            soon=_soon(importing, zone),
        )
    if importing.waiting_for:
        return _(
            "Strava isn’t answering; the import tries again %(soon)s.",
            soon=_soon(importing, zone),
        )
    if importing.reached:
        return _("Now at %(month)s.", month=month_of_year(importing.reached))
    return _("Asking Strava for your runs.")


def _soon(importing: Import, zone: str) -> str:
    if importing.due_at is None:
        return _("soon")
    at = clock(in_zone(importing.due_at, zone))
    return _("at %(time)s", time=at if zone != "UTC" else f"{at} UTC")
