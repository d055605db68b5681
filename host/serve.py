"""`moodmiles web`, `worker` and `beat`: one part alone, as production runs it."""

import os
import sys
from argparse import Namespace

from host.configuration import given
from host.process_commands import BROKER, beat_words, web_words, worker_words
from sync.errors import NotConfigured
from sync.settings import PREFIX, Settings
from sync.surveys.instruments import library

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
    if arguments.command != "beat":
        library(settings.data_dir)  # a bad instrument is refused with its line
    words = command(settings, arguments.command)
    os.environ[BROKER] = settings.redis_url
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
    settings.require_contact()


def command(settings: Settings, part: str) -> list[str]:
    """Return the words that start `part`, to follow `python -m`."""
    match part:
        case "web":
            return web_words(settings.host, settings.port, settings.web_processes)
        case "worker":
            return worker_words("prefork", settings.worker_processes)
        case _:
            return beat_words(settings.log_format)
