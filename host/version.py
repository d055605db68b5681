"""`moodmiles version`: one line that says which release this is."""

from argparse import Namespace
from importlib.metadata import version


def run(_arguments: Namespace) -> int:
    print(f"moodmiles {version('moodmiles')}")
    return 0
