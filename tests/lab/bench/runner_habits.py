"""Invented runners with habits of their own, and the runs that these lead to."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

_NUMBERS = count(1)


@dataclass(frozen=True)
class RunnerHabit:
    """How often, when and where somebody runs, and how they treat their mail."""

    name: str
    home: str
    runs_a_week: float = 3.5
    hours: tuple[float, ...] = (7, 12, 18)
    doubles: float = 0.0  # the share of running days with a second run
    away: tuple[str, ...] = ()  # where they spend every fifth and sixth week
    uploads_weekly: bool = False  # uploads a week's runs on Sunday evening
    late_h: float = 0.1  # how long the watch usually waits to upload
    races: bool = False
    by_hand: float = 0.0
    jogs: float = 0.0  # the share of runs too short to ask about
    answers: float = 0.6
    silent_from_day: int = 10_000
    returns_after_silence: bool = False  # chooses to go on when asked how to
    ask: str = "every-run"
    delay_min: int = 30
    quiet_until: str = "07:00"

    def answers_on(self, day: int) -> float:
        """How likely an answer is; it falls over the year, as it does."""
        if day >= self.silent_from_day:
            return 0.0
        return self.answers * (1 - 0.3 * day / 365)

    def zone_on(self, day: int) -> str:
        week = day // 7
        if self.away and week % 6 >= 4:
            return self.away[week // 6 % len(self.away)]
        return self.home


HABITS = (
    RunnerHabit("mornings", "Europe/Berlin", hours=(6.5, 7), races=True),
    RunnerHabit("evenings", "America/New_York", hours=(17.5, 18.5), runs_a_week=4.5),
    RunnerHabit("nights", "Europe/London", hours=(21, 22.5, 23.5), answers=0.7),
    RunnerHabit(
        "twice a day", "America/Denver", runs_a_week=6, doubles=0.6, races=True
    ),
    RunnerHabit(
        "travels",
        "Europe/Berlin",
        away=("America/Los_Angeles", "Asia/Tokyo", "Pacific/Auckland"),
    ),
    RunnerHabit("hoards", "Australia/Lord_Howe", runs_a_week=5, uploads_weekly=True),
    RunnerHabit("goes silent", "Europe/Madrid", silent_from_day=90, runs_a_week=5),
    RunnerHabit(
        "comes back", "Europe/Athens", answers=0.15, returns_after_silence=True
    ),
    RunnerHabit("every day", "Asia/Kolkata", runs_a_week=7, answers=0.9, delay_min=0),
    RunnerHabit("never answers", "America/Sao_Paulo", answers=0.0, runs_a_week=6),
    RunnerHabit("late watch", "America/Halifax", late_h=9, by_hand=0.1, jogs=0.2),
    RunnerHabit(
        "every other", "Pacific/Honolulu", ask="every-other-run", runs_a_week=5
    ),
    RunnerHabit("once a week", "Asia/Kathmandu", ask="weekly", quiet_until="09:30"),
)


@dataclass(frozen=True)
class GeneratedRun:
    number: int
    started_at: datetime
    moving_s: int
    distance_m: float
    zone: str
    uploaded_at: datetime
    race: bool
    manual: bool

    @property
    def ended_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.moving_s)


def generate_runs(
    habit: RunnerHabit, rng: random.Random, *, begin: datetime, days: int
) -> Iterator[GeneratedRun]:
    """Give every run of these days, with the moment at which we hear of it."""
    for day in range(days):
        if rng.random() >= habit.runs_a_week / 7:
            continue
        zone = habit.zone_on(day)
        date_there = (begin + timedelta(days=day)).date()
        hour = rng.choice(habit.hours) + rng.uniform(-0.5, 0.5)
        first = _generate_run(habit, rng, _local_time(date_there, hour, zone), zone)
        yield first
        if rng.random() < habit.doubles:
            gap = timedelta(hours=rng.uniform(1, 9))
            yield _generate_run(habit, rng, first.ended_at + gap, zone)


def _generate_run(
    habit: RunnerHabit, rng: random.Random, start: datetime, zone: str
) -> GeneratedRun:
    is_jog = rng.random() < habit.jogs
    moving_s = round(rng.uniform(200, 400) if is_jog else rng.gauss(2700, 700))
    moving_s = max(moving_s, 200)
    ended_at = start + timedelta(seconds=moving_s)
    wait_h = rng.expovariate(1 / habit.late_h)
    told_at = _sunday_evening(ended_at, zone) if habit.uploads_weekly else ended_at
    return GeneratedRun(
        number=next(_NUMBERS),
        started_at=start,
        moving_s=moving_s,
        distance_m=moving_s * rng.uniform(2.4, 3.4),
        zone=zone,
        uploaded_at=told_at + timedelta(hours=0 if habit.uploads_weekly else wait_h),
        race=habit.races and rng.random() < 0.05,
        manual=rng.random() < habit.by_hand,
    )


def _local_time(day: date, hour: float, zone: str) -> datetime:
    start = datetime.combine(day, time(), tzinfo=ZoneInfo(zone))
    return (start + timedelta(hours=max(hour, 0))).astimezone(ZoneInfo("UTC"))


def _sunday_evening(at: datetime, zone: str) -> datetime:
    local = at.astimezone(ZoneInfo(zone))
    sunday = local.date() + timedelta(days=6 - local.weekday())
    evening = datetime.combine(sunday, time(20, 15), tzinfo=ZoneInfo(zone))
    return max(evening.astimezone(ZoneInfo("UTC")), at)
