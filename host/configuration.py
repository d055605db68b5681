"""The settings a command works with: the host's, then those of a running instance."""

import os
from types import SimpleNamespace

from host.data_dir import INSTANCE_FILE, DataDirectory
from host.errors import UsageError
from sync.errors import NotConfigured
from sync.settings import PREFIX, Settings, load, reject_unknown


def load_given_settings(arguments: SimpleNamespace) -> Settings:
    """Return what the host configured; a word on the command line comes first."""
    for name in ("data_dir", "host", "port"):
        value = getattr(arguments, name, None)
        if value is not None:
            os.environ[f"{PREFIX}{name.upper()}"] = str(value)
    try:
        reject_unknown(os.environ)
        return load()
    except NotConfigured as error:
        raise UsageError(str(error)) from None


def load_effective_settings(arguments: SimpleNamespace) -> Settings:
    """Return the settings as the parts of an instance in the data dir see them.

    `moodmiles up` writes down what it made up (keys, ports, stand-ins), so that
    the other commands speak to the same database, Redis and Strava.
    """
    settings = load_given_settings(arguments)
    for name, value in (
        DataDirectory(settings.data_dir).read_json(INSTANCE_FILE).items()
    ):
        field = name.removeprefix(PREFIX).lower()
        if field not in settings.model_fields_set:
            os.environ[name] = value
    return load()
