"""What the runners live through: linking, their runs, and changes to them."""

import json
from collections.abc import Iterator
from random import Random
from time import monotonic

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from sync.errors import MoodmilesError
from sync.models import Backfill, Runner
from sync.runs import backfill
from sync.runtime import Runtime
from sync.simulator import activities, seed
from sync.simulator.records import Activity, Event
from tests.support.harness import Stage
from tests.support.random_activity import CHANGES, change

PAST_RUNS = 3
# Straight away, and nothing but questions about runs: what is due is due now.
CHOSEN = {"delay_min": 0, "reminders": False, "checkins": False}
ACTIONS = ("run", "run", "run", "delete", *CHANGES)
QUIET_PART = 5  # one runner in so many
NEW_PART = 10
DELIVERED = "delivered"


class Story:
    """Lives at random, from one seed, and notes what Strava's events came to.

    Every tenth runner links while things go wrong.  Of the others every fifth is
    quiet: a single run, never touched again, so that what they must be asked is
    known without asking our policy.
    """

    def __init__(self, stage: Stage, number: int) -> None:
        self.stage = stage
        self.chance = Random(number)  # noqa: S311
        self.athletes: list[int] = []
        self.quiet: list[int] = []
        self.quiet_runs: dict[int, int] = {}
        self.newcomers: list[int] = []
        self.cropped: set[int] = set()
        self.refused_at: list[float] = []
        self._events: dict[int, Event] = {}

    def begin(self, runners: int, number: int) -> None:
        """Let all of them have a past, and all but the newcomers be linked."""
        world, runtime = self.stage.world, self.stage.runtime
        with world.change():
            grown = seed.grow(
                world, athletes=runners, runs_each=PAST_RUNS, number=number
            )
        self.newcomers = grown[::NEW_PART]
        known = [one for one in grown if one not in self.newcomers]
        self.quiet = known[::QUIET_PART]
        self.athletes = [one for one in known if one not in self.quiet]
        for athlete_id in known:
            self._link(athlete_id)
        while _is_importing(runtime):
            backfill.drain(runtime)

    def welcome(self) -> None:
        """Let the next newcomer link, if the tables and Strava let them."""
        try:
            self._link(self.newcomers[-1])
        except (SQLAlchemyError, MoodmilesError):
            return
        self.athletes.append(self.newcomers.pop())

    def _link(self, athlete_id: int) -> None:
        stage = self.stage
        runner_id = stage.link(activities.find_athlete(stage.world, athlete_id))
        with stage.runtime.db.transaction() as session:
            session.get_one(Runner, runner_id).preferences = CHOSEN

    def live(self) -> None:
        """Let somebody do something."""
        if self.newcomers and self.chance.random() < 1 / NEW_PART:
            self.welcome()
            return
        waiting = [one for one in self.quiet if one not in self.quiet_runs]
        if waiting and self.chance.random() < 1 / QUIET_PART:
            athlete_id = self.chance.choice(waiting)
            self.quiet_runs[athlete_id] = self._run(athlete_id).id
            return
        athlete_id = self.chance.choice(self.athletes)
        known = self.stage.world.activities_of(athlete_id)
        action = self.chance.choice(ACTIONS)
        if action == "run" or not known:
            self._run(athlete_id)
        else:
            self._change(self.chance.choice(known), action)

    def take_notes(self) -> None:
        """Remember how each event fared, which the world forgets, and each refusal."""
        world = self.stage.world
        self._events |= {event.id: event for event in world.events}
        counted = world.counters.get("refused")
        if counted is not None:
            new = counted.value - len(self.refused_at)
            self.refused_at += [monotonic()] * new

    @property
    def on_their_way(self) -> int:
        return sum(event.state == "waiting" for event in self._events.values())

    def events(self) -> Iterator[Event]:
        return iter(self._events.values())

    def acknowledged(self) -> list[Event]:
        """Return the events that we have answered with 200, each once."""
        told = (event for event in self.events() if event.state == DELIVERED)
        return list({_content(event): event for event in told}.values())

    def unsaid(self) -> set[int]:
        """Return the runs with a change that no event of ours has told of."""
        known = {_content(event) for event in self.acknowledged()}
        lost = {
            int(event.body["object_id"])
            for event in self.events()
            if _content(event) not in known
        }
        return lost | self.cropped

    def _run(self, athlete_id: int) -> Activity:
        athlete = activities.find_athlete(self.stage.world, athlete_id)
        return self.stage.run(
            athlete,
            zone="daytime",
            distance_m=self.chance.randint(2, 20) * 1000,
            ended_minutes_ago=self.chance.randint(1, 10),
        )

    def _change(self, one: Activity, action: str) -> None:
        with self.stage.world.change():
            if action == "delete":
                activities.delete(self.stage.world, one)
                return
            if action == "crop":
                self.cropped.add(one.id)
            activities.edit(self.stage.world, one, change(one, action, self.chance))


def _is_importing(runtime: Runtime) -> bool:
    with runtime.db.reading() as session:
        return bool(
            session.scalar(select(func.count(Backfill.due_at)).select_from(Backfill))
        )


def _content(event: Event) -> str:
    return json.dumps(event.body, sort_keys=True)
