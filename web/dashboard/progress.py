"""The progress of the import in words."""

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
    total = import_state.about_total
    of_about = _("so far")
    # The estimate is left out once it is passed.
    if not import_state.is_done and total and total > import_state.runs_stored:
        of_about = _("of about %(total)s", total=format_thousands(total))
    return {
        "is_done": import_state.is_done,
        "runs": import_state.runs_stored,
        "of_about": of_about,
        "text": describe_progress(import_state, zone),
    }


def describe_progress(import_state: BackfillProgress, zone: str) -> str:
    """Say how far the import is, or why and until when it waits."""
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
