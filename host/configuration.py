"""The settings of a command: the host's, then those of a running instance."""

import os
from types import SimpleNamespace

from host.data_dir import INSTANCE_FILE, DataDirectory
from host.errors import UsageError
from sync.errors import NotConfigured
from sync.settings import PREFIX, Settings, load, reject_repeated


def load_given_settings(arguments: SimpleNamespace) -> Settings:
    """Return the host's settings; an option of the command line comes first."""
    for name in ("data_dir", "host", "port"):
        value = getattr(arguments, name, None)
        if value is not None:
            os.environ[f"{PREFIX}{name.upper()}"] = str(value)
    try:
        reject_repeated(os.environ)
        settings = load()
    except NotConfigured as error:
        raise UsageError(str(error)) from None
    _require_readable_addresses(settings)
    return settings


def _require_readable_addresses(settings: Settings) -> None:
    """Raise `NotConfigured` for a mail server or a proxy that nothing could use.

    What reads their addresses takes a while to load, and a first try has neither.
    """
    if settings.smtp_url is not None:
        from sync.mail.smtp import SmtpServer  # noqa: PLC0415

        SmtpServer.from_url(settings.smtp_url.get_secret_value())
    if any(name.upper().endswith("_PROXY") for name in os.environ):
        from sync.strava.http import require_usable_proxy  # noqa: PLC0415

        require_usable_proxy(settings.strava_site_url, settings.strava_api_url)


def load_effective_settings(arguments: SimpleNamespace) -> Settings:
    """Return the settings of the running instance in the data directory.

    `moodmiles up` stores the settings that it generates (keys, ports, stand-ins), so
    that the other commands use the same database, Redis and Strava.
    """
    settings = load_given_settings(arguments)
    for name, value in (
        DataDirectory(settings.data_dir).read_json(INSTANCE_FILE).items()
    ):
        field = name.removeprefix(PREFIX).lower()
        if field not in settings.model_fields_set:
            os.environ[name] = value
    return load()
