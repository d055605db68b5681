"""Lines that the demo's runner wrote for themselves beside some answers.  Pure."""

from random import Random

from sync.standins.demo_feelings import INDOORS, RunFelt

NOTE_PROBABILITY = 0.12
_RACE = ("New shoes, old nerves. Good fun.", "Started too fast, as ever.")
_INDOORS = ("Watched half a film on the treadmill.", "Treadmill, window open.")
_TOGETHER = (
    "With Alex along the canal.",
    "Talked all the way round the park.",
    "The whole group came, even Kim.",
)
_LOW = ("Legs like lead after a late night.", "Headwind both ways.")
_GOOD = (
    "Hardly anyone by the river.",
    "Tried the hill loop the other way round.",
    "First time past the old mill without a break.",
    "Saw a heron.",
    "New path behind the station.",
)
_PLAIN = (
    "Took it easy.",
    "Podcast run.",
    "Forgot the watch at first.",
    "Same loop as always.",
)


class DemoNotes:
    """The lines that are left: none is written twice."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._used: set[str] = set()

    def draw(self, felt: RunFelt, mood: int) -> str:
        """Return a line that fits the run, or more often none."""
        if self._rng.random() >= NOTE_PROBABILITY:
            return ""
        unused = [line for line in list_lines(felt, mood) if line not in self._used]
        if not unused:
            return ""
        line = self._rng.choice(unused)
        self._used.add(line)
        return line


def list_lines(felt: RunFelt, mood: int) -> tuple[str, ...]:
    """Return the lines that fit a run after which the mood was `mood`."""
    if felt.run.race:
        return _RACE
    if felt.place == INDOORS:
        return _INDOORS
    if mood < 0:
        return _LOW
    if felt.is_together:
        return _TOGETHER
    return _GOOD if mood > 0 else _PLAIN
