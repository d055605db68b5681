"""What `moodmiles up` needs to know of the settings, as plain values."""

from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

from host.configuration import given
from sync.surveys.instruments import library


@dataclass(frozen=True, slots=True)
class Wishes:
    """The host's wishes; `configured` names the settings that are theirs."""

    data_dir: Path
    host: str
    port: int
    public_url: str
    web_processes: int
    configured: frozenset[str]


def wishes(arguments: Namespace) -> Wishes:
    settings = given(arguments)
    library(settings.data_dir)  # a bad instrument is refused with its line
    settings.require_contact()
    return Wishes(
        data_dir=settings.data_dir,
        host=settings.host,
        port=settings.port,
        public_url=settings.public_url,
        web_processes=settings.web_processes,
        configured=frozenset(
            name for name in settings.model_fields_set if getattr(settings, name)
        ),
    )
