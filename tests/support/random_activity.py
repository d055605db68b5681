"""What athletes do to their runs, at random."""

from random import Random

from sync.simulator import activities
from sync.simulator.records import Activity

CHANGES = ("rename", "crop", "retype", "flip")


def change(one: Activity, action: str, chance: Random) -> activities.Edit:
    """Return the edit that one of `CHANGES` means for this activity."""
    match action:
        case "rename":
            return activities.Edit(name=f"Run {chance.random()}")
        case "crop":
            return activities.Edit(
                distance_m=one.distance_m / 2, moving_s=one.moving_s // 2
            )
        case "retype":
            sport = "Ride" if one.sport_type == "Run" else "Run"
            return activities.Edit(sport_type=sport)
        case _:
            hidden = one.visibility == "only_me"
            return activities.Edit(visibility="everyone" if hidden else "only_me")
