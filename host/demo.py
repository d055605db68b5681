"""`moodmiles demo`: one instance in which a runner has run and answered for long."""

from dataclasses import replace
from types import SimpleNamespace

from host.options import InstanceOptions, load_options
from host.up import run_instance

_FOLDER = "demo"


def run(arguments: SimpleNamespace) -> int:
    options = load_options(arguments)
    if arguments.data_dir is None:
        options = replace(options, data_dir=options.data_dir / _FOLDER)
    return run_instance(
        _without_configured_services(options), export=arguments.export, is_seeded=True
    )


def _without_configured_services(options: InstanceOptions) -> InstanceOptions:
    """Keep the made-up runner away from a host's Strava, mails and tables."""
    return replace(options, configured=frozenset())
