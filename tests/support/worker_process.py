"""The environment of a worker of its own, on tables and a Redis of a test."""

import os
import sys
from pathlib import Path

from tests.conftest import KEY


def build_worker_environment(
    folder: Path, *, database_url: str, redis_url: str
) -> dict[str, str]:
    """Return the test's own environment with all that a worker needs."""
    settings = {
        "DATA_DIR": str(folder),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEYS": KEY,
        "STRAVA_CLIENT_ID": "1",
        "STRAVA_CLIENT_SECRET": "simulated",
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "SMTP_URL": "smtp://127.0.0.1:1",
        "MAIL_FROM": "moods@example.org",
    }
    return (
        os.environ
        | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        | {f"MOODMILES_{name}": value for name, value in settings.items()}
    )
