"""The settings of a command: the host's, then those of a running instance."""

import os
from types import SimpleNamespace

from host.data_dir import UnreadableFile, print_message, read_object
from host.data_entries import DataEntry
from host.errors import UsageError
from sync.errors import NotConfigured
from sync.settings import PREFIX, Settings, load, reject_repeated

_DAMAGED = (
    "{path} cannot be used, so the settings of a running instance are not known here: "
    "start it again."
)


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
    given = dict(os.environ)
    try:
        os.environ.update(read_instance_settings(settings))
        return load()
    except (NotConfigured, ValueError):  # a damaged value
        os.environ.clear()
        os.environ.update(given)
        print_message(_DAMAGED.format(path=settings.data_dir / DataEntry.INSTANCE))
        return load()


def read_instance_settings(settings: Settings) -> dict[str, str]:
    """Return what a running instance has generated, and the host has not set.

    A file that cannot be read is reported, and left to the next start.
    """
    path = settings.data_dir / DataEntry.INSTANCE
    try:
        stored = read_object(path)
    except FileNotFoundError:
        return {}
    except UnreadableFile:
        print_message(_DAMAGED.format(path=path))
        return {}
    unset = Settings.model_fields.keys() - settings.model_fields_set
    return {
        name: value
        for name, value in stored.items()
        if name.removeprefix(PREFIX).lower() in unset and isinstance(value, str)
    }
