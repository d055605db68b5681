"""Growing a world from a number: athletes with habits, seasons and the odd bad week."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import cos, pi
from random import Random
from zoneinfo import ZoneInfo

from sync.simulator.activities import DEVICE, title
from sync.simulator.records import Activity, Athlete
from sync.simulator.world import World

SAM_ID, ROBIN_ID, ALEX_ID = 100_001, 134_815, 134_816
HOME = "Europe/London"
DEMO_DAYS = 548
# The newest seeded run is more than a day old: it asks for no survey of its own.
LATEST_RUN_H = 26
RUNS_A_WEEK = 3.5
# How likely a run is from Monday to Sunday; together 3.5, before illness and season.
RHYTHM = (0.20, 0.68, 0.30, 0.68, 0.10, 0.70, 0.88)
GROWN_ZONES = (
    "Europe/London",
    "Europe/Berlin",
    "America/New_York",
    "America/Los_Angeles",
    "Asia/Tokyo",
    "Australia/Sydney",
)
GROWN_NAMES = ("Ada", "Ben", "Chi", "Dana", "Eli", "Fay", "Gus", "Hana", "Ivo", "Juno")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One outing before it has a number and an athlete."""

    sport_type: str
    start_s: int
    distance_m: float
    moving_s: int
    trainer: bool = False
    manual: bool = False
    workout_type: int | None = 0
    athlete_count: int = 1


def populate(world: World, *, number: int, exported: list[Activity] | None) -> None:
    """Put Robin, Alex or Sam into the world, if they are not there yet."""
    if exported is not None and SAM_ID not in world.athletes:
        _add_athlete(world, SAM_ID, "Sam", HOME)
        for activity in exported:
            world.put_activity(activity)
    if ROBIN_ID not in world.athletes:
        robin = _add_athlete(world, ROBIN_ID, "Robin", HOME)
        _live(world, robin, Random(number), days=DEMO_DAYS)  # noqa: S311
    if exported is None and ALEX_ID not in world.athletes:
        _add_athlete(world, ALEX_ID, "Alex", HOME)


def grow(world: World, *, athletes: int, runs_each: int, number: int) -> list[int]:
    """Add many athletes with about `runs_each` runs each, and return their ids."""
    days = round(runs_each / RUNS_A_WEEK * 7 * 1.4) + 14
    grown = []
    for place in range(athletes):
        chance = Random(f"{number} {place}")  # noqa: S311
        zone = chance.choice(GROWN_ZONES)
        name = chance.choice(GROWN_NAMES)
        athlete = _add_athlete(world, world.next_id("athlete"), name, zone)
        _live(world, athlete, chance, days=days, runs_at_most=runs_each)
        grown.append(athlete.id)
    return grown


def _add_athlete(world: World, athlete_id: int, firstname: str, zone: str) -> Athlete:
    athlete = Athlete(
        id=athlete_id,
        firstname=firstname,
        lastname="Runner",
        zone=zone,
        created_s=world.now_s() - 3 * 365 * 86_400,
        city=zone.rpartition("/")[2].replace("_", " "),
    )
    world.athletes.put(athlete)
    return athlete


def _live(
    world: World,
    athlete: Athlete,
    chance: Random,
    *,
    days: int,
    runs_at_most: int | None = None,
) -> None:
    """Let an athlete have lived through these last days."""
    latest_s = world.now_s() - LATEST_RUN_H * 3600
    today = datetime.fromtimestamp(latest_s, ZoneInfo(athlete.zone)).date()
    plans = [
        plan
        for plan in _outings(chance, today, days, athlete.zone)
        if plan.start_s <= latest_s
    ]
    if runs_at_most is not None:
        runs = [plan for plan in plans if plan.sport_type == "Run"]
        plans = runs[max(len(runs) - runs_at_most, 0) :]
    for plan in plans:
        world.put_activity(_activity(world, athlete, plan, chance))


def _outings(chance: Random, today: date, days: int, zone: str) -> Iterator[Plan]:
    """Go through the days: mostly runs, some rides, a gap now and then."""
    form = 1.0
    resting = 0
    for back in range(days, -1, -1):
        day = today - timedelta(days=back)
        resting = max(resting - 1, 0)
        if chance.random() < 1 / 150:
            resting = chance.randint(5, 12)
        form = 0.97 * form + 0.03 * chance.uniform(0.7, 1.35)
        if resting:
            continue
        if chance.random() < RHYTHM[day.weekday()] * (0.95 + 0.25 * _summer(day)):
            yield _run(chance, day, form, zone)
        elif chance.random() < 0.09 + 0.07 * _summer(day):
            yield _ride(chance, day, zone)


def _run(chance: Random, day: date, form: float, zone: str) -> Plan:
    weekend = day.weekday() >= 5
    race = day.weekday() == 6 and chance.random() < 0.09
    indoors = not weekend and chance.random() < 0.12 - 0.12 * _summer(day)
    manual = not race and chance.random() < 0.02
    together = weekend and chance.random() < 0.4
    kilometres = (
        chance.choice((5.0, 10.0, 10.0, 21.1)) if race else _length(chance, day)
    )
    kilometres = kilometres if race else round(max(1.5, kilometres * form), 2)
    pace_s = chance.gauss(292 if race else 345, 12) + kilometres * 1.2
    started = time(9 if weekend else chance.choice((7, 7, 18)), chance.randint(0, 59))
    if manual:
        kilometres, started = round(kilometres), started.replace(minute=0)
    return Plan(
        sport_type="TrailRun" if together and chance.random() < 0.15 else "Run",
        start_s=_moment(day, started, zone),
        distance_m=round(
            kilometres * 1000 + (0 if manual else chance.uniform(0, 9)), 1
        ),
        moving_s=round(kilometres * pace_s),
        trainer=indoors,
        manual=manual,
        workout_type=1 if race else 0,
        athlete_count=chance.randint(2, 6) if together else 1,
    )


def _length(chance: Random, day: date) -> float:
    """Draw kilometres: short in the week, long on Sundays, now and then very."""
    usual = 12.5 if day.weekday() == 6 else 6.2
    return usual * chance.lognormvariate(0, 0.24)


def _ride(chance: Random, day: date, zone: str) -> Plan:
    kilometres = 24 * chance.lognormvariate(0, 0.4)
    return Plan(
        sport_type="Ride",
        start_s=_moment(day, time(17, chance.randint(0, 59)), zone),
        distance_m=round(kilometres * 1000, 1),
        moving_s=round(kilometres * chance.uniform(140, 180)),
        workout_type=None,
    )


def _activity(world: World, athlete: Athlete, plan: Plan, chance: Random) -> Activity:
    beats = None if plan.manual else round(chance.gauss(151, 7), 1)
    pause_s = 0 if plan.manual or plan.trainer else chance.randint(0, 120)
    climbed = 0.0 if plan.trainer else round(plan.distance_m * 0.007, 1)
    return Activity(
        id=world.next_id("activity"),
        athlete_id=athlete.id,
        name=title(plan.start_s, athlete.zone, plan.sport_type),
        zone=athlete.zone,
        elapsed_s=plan.moving_s + pause_s,
        elevation_gain_m=climbed,
        visibility=chance.choice(("everyone", "everyone", "followers_only")),
        device_name=None if plan.manual else DEVICE,
        average_heartrate=beats,
        max_heartrate=None if beats is None else round(beats + 24),
        average_cadence=None if plan.manual else round(chance.gauss(84, 2), 1),
        **vars(plan),
    )


def _moment(day: date, started: time, zone: str) -> int:
    local = datetime.combine(day, started, ZoneInfo(zone))
    return int(local.astimezone(UTC).timestamp())


def _summer(day: date) -> float:
    """Run from 0 in the middle of January to 1 in the middle of July."""
    return (1 - cos(2 * pi * (day.timetuple().tm_yday - 15) / 365)) / 2
