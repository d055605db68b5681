"""The library that speaks to Strava is loaded late and leaves no trace."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.processes

CHEAP = """
import sys
from sync.settings import Settings
from sync.strava.client import HttpStrava
HttpStrava(Settings(strava_client_id=1)).consent_url(
    state="s", redirect_uri="r", scope="read"
)
assert not {"stravalib", "requests"} & set(sys.modules), "loaded too early"
"""
QUIET = """
import logging, warnings, requests
before = list(warnings.filters), warnings.showwarning
import sync.strava.stravalib_adapter
assert (list(warnings.filters), warnings.showwarning) == before, "warnings changed"
assert not logging.getLogger().handlers, "a handler appeared"
shown_by = warnings.showwarning
logging.captureWarnings(True)
assert warnings.showwarning is not shown_by, "warnings cannot be captured any more"
"""


@pytest.mark.parametrize("script", [CHEAP, QUIET], ids=["cheap", "quiet"])
def test_the_library_is_loaded_late_and_leaves_no_trace(script: str) -> None:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
