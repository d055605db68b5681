"""`moodmiles web`, `worker` and `beat`: one part alone, as production runs it."""

import os
import sys
from types import SimpleNamespace

from host.configuration import load_given_settings
from host.ports import require_port
from host.process_commands import beat_argv, web_argv, worker_argv
from host.sqlite_file import require_usable_file
from sync import part_failures
from sync.errors import NotConfigured
from sync.mail.smtp import SmtpServer
from sync.setting_urls import find_sqlite_file
from sync.settings import PREFIX, Settings
from sync.surveys.instruments import load_library

_REQUIRED = ("secret_keys", "redis_url", "strava_client_id", "strava_client_secret")
_REQUIRED_BY_PART = {
    "web": ("public_url", "strava_verify_token", "strava_webhook_secret"),
    "worker": ("smtp_url", "public_url", "mail_from"),
    "beat": (),
}


def run(arguments: SimpleNamespace) -> int:
    """Replace this process by the part, so that signals reach it directly."""
    settings = load_given_settings(arguments)
    # Before anything may refuse to start: that counts, too.
    part_failures.record_start(arguments.command, settings.redis_url)
    require_settings(settings, arguments.command)
    if arguments.command != "beat":
        file = find_sqlite_file(settings.sql_url)
        if file is not None:
            require_usable_file(file)
        load_library(settings.data_dir)  # a bad instrument is refused with its line
    if arguments.command == "web":
        require_port(settings.host, settings.port)
    argv = build_argv(settings, arguments.command)
    os.environ[part_failures.BROKER_VARIABLE] = settings.broker_url
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", *argv])  # noqa: S606 - no shell


def require_settings(settings: Settings, part: str) -> None:
    """Raise `NotConfigured` with all settings that `part` lacks, or a risky one."""
    missing = [
        f"{PREFIX}{name.upper()}"
        for name in (*_REQUIRED, *_REQUIRED_BY_PART[part])
        if name not in settings.model_fields_set or not getattr(settings, name)
    ]
    if missing:
        raise NotConfigured(
            f"Not set: {', '.join(missing)}; .env.example explains each one."
        )
    settings.require_safe()
    if settings.smtp_url is not None:
        SmtpServer.from_url(settings.smtp_url.get_secret_value())


def build_argv(settings: Settings, part: str) -> list[str]:
    """Return the arguments that start `part`, to follow `python -m`."""
    match part:
        case "web":
            return web_argv(settings.host, settings.port, settings.web_processes)
        case "worker":
            return worker_argv("prefork", settings.worker_processes)
        case _:
            return beat_argv(settings.log_format)
