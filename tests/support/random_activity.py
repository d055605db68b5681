"""What athletes do to their runs, at random."""

from random import Random

from sync.simulator import activities
from sync.simulator.records import Activity

CHANGES = ("rename", "crop", "retype", "flip")


def build_edit(activity: Activity, action: str, rng: Random) -> activities.ActivityEdit:
    """Return the edit that one of `CHANGES` means for this activity."""
    match action:
        case "rename":
            return activities.ActivityEdit(name=f"Run {rng.random()}")
        case "crop":
            return activities.ActivityEdit(
                distance_m=activity.distance_m / 2, moving_s=activity.moving_s // 2
            )
        case "retype":
            sport = "Ride" if activity.sport_type == "Run" else "Run"
            return activities.ActivityEdit(sport_type=sport)
        case _:
            hidden = activity.visibility == "only_me"
            return activities.ActivityEdit(
                visibility="everyone" if hidden else "only_me"
            )
