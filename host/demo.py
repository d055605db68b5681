"""`moodmiles demo`: one instance with a simulated runner's 18 months."""

from dataclasses import replace
from types import SimpleNamespace

from host.options import load_options
from host.up import run_instance

_FOLDER = "demo"


def run(arguments: SimpleNamespace) -> int:
    options = load_options(arguments)
    if arguments.data_dir is None:
        options = replace(options, data_dir=options.data_dir / _FOLDER)
    # The made-up runner stays away from the host's own Strava, mails and tables.
    options = replace(options, configured=frozenset())
    return run_instance(options, export=arguments.export, is_seeded=True)
