"""How far the import of the past is, in words."""

from typing import TypedDict

from sync.language import gettext as _
from sync.runners.account import BackfillProgress
from sync.time_zones import to_local
from sync.vocabulary import BackfillDelay
from web.formats import (
    format_month_and_year,
    format_thousands,
    format_time,
)


class ImportProgress(TypedDict):
    is_done: bool
    runs: int
    of_about: str
    text: str


def build_progress(import_state: BackfillProgress, zone: str) -> ImportProgress:
    return {
        "is_done": import_state.is_done,
        "runs": import_state.runs_stored,
        "of_about": _total_text(import_state),
        "text": _status_text(import_state, zone),
    }


def _total_text(import_state: BackfillProgress) -> str:
    """Say how many there will be, where that can be told and is not passed yet."""
    total = import_state.about_total
    if import_state.is_done or total is None or total <= import_state.runs_stored:
        return _("so far")
    return _("of about %(total)s", total=format_thousands(total))


def _status_text(import_state: BackfillProgress, zone: str) -> str:
    if import_state.is_done:
        return _("All your runs are here.")
    if import_state.waiting_for == BackfillDelay.LIMIT:
        return _(
            "Strava asked us to slow down; the import goes on %(soon)s.",
            soon=_retry_time_text(import_state, zone),
        )
    if import_state.waiting_for:
        return _(
            "Strava isn’t answering; the import tries again %(soon)s.",
            soon=_retry_time_text(import_state, zone),
        )
    if import_state.reached:
        return _("Now at %(month)s.", month=format_month_and_year(import_state.reached))
    return _("Asking Strava for your runs.")


def _retry_time_text(import_state: BackfillProgress, zone: str) -> str:
    if import_state.due_at is None:
        return _("soon")
    time_text = format_time(to_local(import_state.due_at, zone))
    return _("at %(time)s", time=time_text if zone != "UTC" else f"{time_text} UTC")
