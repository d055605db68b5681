"""Lines that the demo's runner wrote for themselves beside some answers.  Pure."""

from collections.abc import Sequence
from random import Random

from sync.standins.demo_feelings import RunFelt

NOTE_PROBABILITY = 0.09
_RACE = ("New shoes, old nerves. Good fun.", "Started too fast, as ever.")
_TOGETHER = ("With Alex along the canal.", "Talked all the way round the park.")
_LOW = ("Legs like lead after a late night.", "Rain from start to finish.")
_GOOD = (
    "Sun on the river, hardly anyone about.",
    "Tried the hill loop the other way round.",
    "First time past the old mill without a break.",
    "Saw a heron.",
)
_PLAIN = ("Wet leaves, took it easy.", "Podcast run.", "Forgot the watch at first.")


def draw_note(rng: Random, felt: RunFelt, mood: int) -> str:
    """Return a line that fits the run, or more often none."""
    is_written = rng.random() < NOTE_PROBABILITY
    lines: Sequence[str]
    if felt.run.race:
        lines = _RACE
    elif mood < 0:
        lines = _LOW
    elif felt.is_together:
        lines = _TOGETHER
    else:
        lines = _GOOD if mood > 0 else _PLAIN
    line = rng.choice(lines)
    return line if is_written else ""
