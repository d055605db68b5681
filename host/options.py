"""The settings of `moodmiles up` as plain values."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from host.configuration import load_given_settings
from sync.surveys.instruments import load_library


@dataclass(frozen=True, slots=True)
class InstanceOptions:
    """The host's settings; `configured` names those that are set and not empty."""

    data_dir: Path
    host: str
    port: int
    public_url: str
    web_processes: int
    configured: frozenset[str]
    redis_password: str = ""


def load_options(arguments: SimpleNamespace) -> InstanceOptions:
    settings = load_given_settings(arguments)
    load_library(settings.data_dir)  # a bad instrument is refused with its line
    settings.require_safe()
    return InstanceOptions(
        data_dir=settings.data_dir,
        host=settings.host,
        port=settings.port,
        public_url=settings.public_url,
        web_processes=settings.web_processes,
        redis_password=settings.redis_password.get_secret_value()
        if settings.redis_password
        else "",
        configured=frozenset(
            name for name in settings.model_fields_set if getattr(settings, name)
        ),
    )
