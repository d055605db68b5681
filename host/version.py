"""`moodmiles version`: one line that says which release this is."""

from importlib.metadata import version
from types import SimpleNamespace


def run(_arguments: SimpleNamespace) -> int:
    print(f"moodmiles {version('moodmiles')}")
    return 0
