"""`moodmiles demo`: one instance in which a runner has run and answered for long."""

from argparse import Namespace
from pathlib import Path

from host.configuration import given
from host.errors import WrongUse
from host.up import run_instance
from sync.settings import Settings

OWN_DIR = Path(".moodmiles") / "demo"


def run(arguments: Namespace) -> int:
    settings = given(arguments)
    if settings.strava_client_id is not None:
        raise WrongUse(
            "The demo has its own simulated Strava: leave out "
            "MOODMILES_STRAVA_CLIENT_ID, or use moodmiles up."
        )
    return run_instance(_in_own_dir(settings), export=arguments.export, seeded=True)


def _in_own_dir(settings: Settings) -> Settings:
    """Keep the demo's made-up runner away from a host's real data."""
    if "data_dir" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"data_dir": OWN_DIR})
