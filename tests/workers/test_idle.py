"""A process that has nothing to do has not loaded what only some work needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import KEY
from tests.support.paths import ROOT
from tests.support.strong_secrets import WEBHOOK_SECRET

pytestmark = pytest.mark.processes

HEAVY = ("numpy", "pandas", "requests", "scipy", "statsmodels", "stravalib")
WORKER = """
import sys
from workers import tasks
from workers.app import celery
ours = [name for name in celery.tasks if not name.startswith("celery.")]
for name in sorted(ours):
    celery.tasks[name].run()
print(len(ours), *sys.modules)
"""
WEB = """
import sys
from web.wsgi import app
client = app.test_client()
pages = ["/", "/healthz", "/privacy", "/login"]
print(sum(client.get(page).status_code == 200 for page in pages), *sys.modules)
"""


def run_code(code: str, data_dir: Path) -> tuple[int, list[str]]:
    """Run it on empty tables; return how much it did, and what was loaded then."""
    environment = os.environ | {
        "MOODMILES_DATA_DIR": str(data_dir),
        "MOODMILES_SECRET_KEYS": KEY,
        "MOODMILES_SMTP_URL": "smtp://127.0.0.1:1",
        "MOODMILES_STRAVA_CLIENT_ID": "1",
        "MOODMILES_STRAVA_CLIENT_SECRET": "s",
        "MOODMILES_STRAVA_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }
    outputs = [
        subprocess.run(  # noqa: S603
            [sys.executable, *words],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for words in (["-m", "host.cli", "db", "upgrade"], ["-c", code])
    ]
    count, *modules = outputs[-1].splitlines()[-1].split()
    return int(count), modules


@pytest.mark.parametrize(("code", "count"), [(WORKER, 12), (WEB, 4)])
def test_idling_loads_nothing_heavy(code: str, count: int, tmp_path: Path) -> None:
    did, modules = run_code(code, tmp_path)

    assert did == count
    assert not [name for name in HEAVY if name in modules]
