"""`moodmiles demo`: one instance in which a runner has run and answered for long."""

from argparse import Namespace
from dataclasses import replace

from host.options import Wishes, wishes
from host.up import run_instance

_FOLDER = "demo"


def run(arguments: Namespace) -> int:
    wanted = wishes(arguments)
    if arguments.data_dir is None:
        wanted = replace(wanted, data_dir=wanted.data_dir / _FOLDER)
    return run_instance(_on_stand_ins(wanted), export=arguments.export, seeded=True)


def _on_stand_ins(wanted: Wishes) -> Wishes:
    """Keep the made-up runner away from a host's Strava, mails and tables."""
    return replace(wanted, configured=frozenset())
