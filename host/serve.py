"""`moodmiles web`, `worker` and `beat`: one part alone, as production runs it."""

import os
import sys
from argparse import Namespace

from host.configuration import given
from sync.errors import NotConfigured
from sync.settings import PREFIX, Settings

_NEEDED = ("secret_keys", "redis_url", "strava_client_id", "strava_client_secret")
_NEEDED_BY = {
    "web": ("public_url", "strava_verify_token", "strava_webhook_secret"),
    "worker": ("smtp_url", "public_url", "mail_from"),
    "beat": (),
}


def run(arguments: Namespace) -> int:
    """Become the part: this process is replaced, so signals reach it directly."""
    settings = given(arguments)
    refuse_if_incomplete(settings, arguments.command)
    words = command(settings, arguments.command)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", *words])  # noqa: S606 - no shell


def refuse_if_incomplete(settings: Settings, part: str) -> None:
    """Raise `NotConfigured` with everything that `part` still needs."""
    missing = [
        f"{PREFIX}{name.upper()}"
        for name in (*_NEEDED, *_NEEDED_BY[part])
        if name not in settings.model_fields_set or not getattr(settings, name)
    ]
    if missing:
        raise NotConfigured(
            f"Not set: {', '.join(missing)}; .env.example explains each one."
        )


def command(settings: Settings, part: str) -> list[str]:
    """Return the words that start `part`, to follow `python -m`."""
    match part:
        case "web":
            return web_words(settings, settings.port)
        case "worker":
            return worker_words("prefork", settings.worker_processes)
        case _:
            return beat_words(settings)


def web_words(settings: Settings, port: int) -> list[str]:
    # One process with one thread is the fastest writer that SQLite can have.
    words = ["granian", "--interface", "wsgi", "--no-ws", "--log-level", "warning"]
    words += ["--host", settings.host, "--port", str(port)]
    words += ["--workers", str(settings.web_processes), "--blocking-threads", "1"]
    return [*words, "--respawn-failed-workers", "web.wsgi:app"]


def worker_words(pool: str, concurrency: int) -> list[str]:
    words = ["celery", "--app", "workers.app", "worker", "--pool", pool]
    return [*words, "--concurrency", str(concurrency), "--loglevel", "info"]


def beat_words(settings: Settings) -> list[str]:
    # Without a pid file a killed schedule can start again at once.
    words = ["celery", "--app", "workers.app", "beat", "--loglevel", "warning"]
    schedule = settings.data_dir / "schedule"
    return [*words, "--schedule", str(schedule), "--pidfile", ""]
