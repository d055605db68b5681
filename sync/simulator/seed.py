"""A world drawn from a seed number: athletes with habits, seasons and sick weeks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import cos, pi
from random import Random
from zoneinfo import ZoneInfo

from sync.simulator.activities import DEVICE, build_title
from sync.simulator.records import Activity, Athlete
from sync.simulator.world import World

SAM_ID, ROBIN_ID, ALEX_ID = 100_001, 134_815, 134_816
HOME_ZONE = "Europe/London"
DEMO_DAYS = 548
# The newest seeded run is more than a day old: it asks for no survey of its own.
LATEST_RUN_HOURS_AGO = 26
RUNS_A_WEEK = 3.5
# How likely a run is from Monday to Sunday; together 3.5, before illness and season.
RUN_PROBABILITIES = (0.20, 0.68, 0.30, 0.68, 0.10, 0.70, 0.88)
GENERATED_ZONES = (
    "Europe/London",
    "Europe/Berlin",
    "America/New_York",
    "America/Los_Angeles",
    "Asia/Tokyo",
    "Australia/Sydney",
)
GENERATED_NAMES = (
    "Ada",
    "Ben",
    "Chi",
    "Dana",
    "Eli",
    "Fay",
    "Gus",
    "Hana",
    "Ivo",
    "Juno",
)


@dataclass(frozen=True, kw_only=True)
class PlannedActivity:
    """One outing before it has a number and an athlete."""

    sport_type: str
    start_s: int
    distance_m: float
    moving_s: int
    trainer: bool = False
    manual: bool = False
    workout_type: int | None = 0
    athlete_count: int = 1


def populate_world(
    world: World, *, seed_number: int, exported_activities: list[Activity] | None
) -> None:
    """Add Robin, and Alex or Sam, unless they exist."""
    if exported_activities is not None and SAM_ID not in world.athletes:
        _add_athlete(world, SAM_ID, "Sam", HOME_ZONE)
        for activity in exported_activities:
            world.put_activity(activity)
    if ROBIN_ID not in world.athletes:
        robin = _add_athlete(world, ROBIN_ID, "Robin", HOME_ZONE)
        _add_activities(world, robin, Random(seed_number), days=DEMO_DAYS)  # noqa: S311
    if exported_activities is None and ALEX_ID not in world.athletes:
        _add_athlete(world, ALEX_ID, "Alex", HOME_ZONE)


def add_athletes(
    world: World, *, count: int, runs_each: int, seed_number: int
) -> list[int]:
    """Add many athletes with about `runs_each` runs each, and return their ids."""
    days = round(runs_each / RUNS_A_WEEK * 7 * 1.4) + 14
    athlete_ids = []
    for index in range(count):
        rng = Random(f"{seed_number} {index}")  # noqa: S311
        zone = rng.choice(GENERATED_ZONES)
        name = rng.choice(GENERATED_NAMES)
        athlete = _add_athlete(world, world.next_id("athlete"), name, zone)
        _add_activities(world, athlete, rng, days=days, max_runs=runs_each)
        athlete_ids.append(athlete.id)
    return athlete_ids


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


def _add_activities(
    world: World,
    athlete: Athlete,
    rng: Random,
    *,
    days: int,
    max_runs: int | None = None,
) -> None:
    """Give an athlete a past of this many days."""
    latest_s = world.now_s() - LATEST_RUN_HOURS_AGO * 3600
    today = datetime.fromtimestamp(latest_s, ZoneInfo(athlete.zone)).date()
    plans = [
        plan
        for plan in plan_activities(rng, today, days, athlete.zone)
        if plan.start_s <= latest_s
    ]
    if max_runs is not None:
        runs = [plan for plan in plans if plan.sport_type == "Run"]
        plans = runs[max(len(runs) - max_runs, 0) :]
    for plan in plans:
        heart_rate = None if plan.manual else round(rng.gauss(151, 7), 1)
        pause_s = 0 if plan.manual or plan.trainer else rng.randint(0, 120)
        elevation_gain_m = 0.0 if plan.trainer else round(plan.distance_m * 0.007, 1)
        activity = Activity(
            id=world.next_id("activity"),
            athlete_id=athlete.id,
            name=build_title(plan.start_s, athlete.zone, plan.sport_type),
            zone=athlete.zone,
            elapsed_s=plan.moving_s + pause_s,
            elevation_gain_m=elevation_gain_m,
            visibility=rng.choice(("everyone", "everyone", "followers_only")),
            device_name=None if plan.manual else DEVICE,
            average_heartrate=heart_rate,
            max_heartrate=None if heart_rate is None else round(heart_rate + 24),
            average_cadence=None if plan.manual else round(rng.gauss(84, 2), 1),
            **vars(plan),
        )
        world.put_activity(activity)


def plan_activities(
    rng: Random, today: date, days: int, zone: str
) -> Iterator[PlannedActivity]:
    """Yield the outings of the last `days`: mostly runs, some rides, rare gaps."""
    fitness = 1.0
    rest_days = 0
    for days_ago in range(days, -1, -1):
        day = today - timedelta(days=days_ago)
        rest_days = max(rest_days - 1, 0)
        if rng.random() < 1 / 150:
            rest_days = rng.randint(5, 12)
        fitness = 0.97 * fitness + 0.03 * rng.uniform(0.7, 1.35)
        if rest_days:
            continue
        if rng.random() < RUN_PROBABILITIES[day.weekday()] * (
            0.95 + 0.25 * _summer_factor(day)
        ):
            yield plan_run(rng, day, fitness, zone)
        elif rng.random() < 0.09 + 0.07 * _summer_factor(day):
            kilometres = 24 * rng.lognormvariate(0, 0.4)
            yield PlannedActivity(
                sport_type="Ride",
                start_s=_to_epoch_s(day, time(17, rng.randint(0, 59)), zone),
                distance_m=round(kilometres * 1000, 1),
                moving_s=round(kilometres * rng.uniform(140, 180)),
                workout_type=None,
            )


def plan_run(rng: Random, day: date, fitness: float, zone: str) -> PlannedActivity:
    """Draw one run; `fitness` is a factor about 1 on its distance."""
    is_weekend = day.weekday() >= 5
    is_race = day.weekday() == 6 and rng.random() < 0.09
    is_indoors = not is_weekend and rng.random() < 0.4 - 0.4 * _summer_factor(day)
    is_manual = not is_race and rng.random() < 0.02
    is_together = is_weekend and rng.random() < 0.4
    if is_race:
        kilometres = rng.choice((5.0, 10.0, 10.0, 21.1))
    else:  # short in the week, long on Sundays, now and then very long
        typical_km = 12.5 if day.weekday() == 6 else 6.2
        drawn_km = typical_km * rng.lognormvariate(0, 0.24)
        kilometres = round(max(1.5, drawn_km * fitness), 2)
    pace_s = rng.gauss(292 if is_race else 345, 12) + kilometres * 1.2
    start_time = time(9 if is_weekend else rng.choice((7, 7, 18)), rng.randint(0, 59))
    if is_manual:
        kilometres, start_time = round(kilometres), start_time.replace(minute=0)
    return PlannedActivity(
        sport_type="TrailRun" if is_together and rng.random() < 0.15 else "Run",
        start_s=_to_epoch_s(day, start_time, zone),
        distance_m=round(
            kilometres * 1000 + (0 if is_manual else rng.uniform(0, 9)), 1
        ),
        moving_s=round(kilometres * pace_s),
        trainer=is_indoors,
        manual=is_manual,
        workout_type=1 if is_race else 0,
        athlete_count=rng.randint(2, 6) if is_together else 1,
    )


def _to_epoch_s(day: date, start_time: time, zone: str) -> int:
    local = datetime.combine(day, start_time, ZoneInfo(zone))
    return int(local.astimezone(UTC).timestamp())


def _summer_factor(day: date) -> float:
    """Return 0 in the middle of January, rising to 1 in the middle of July."""
    return (1 - cos(2 * pi * (day.timetuple().tm_yday - 15) / 365)) / 2
