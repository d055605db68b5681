"""What the runners live through: linking, their runs, and changes to them."""

import json
from collections.abc import Iterator
from random import Random
from time import monotonic

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from sync.errors import MoodmilesError
from sync.models import Backfill, Runner
from sync.preferences import Preferences
from sync.runs import backfill
from sync.runtime import Runtime
from sync.simulator import activities, seed
from sync.simulator.records import Activity, OutgoingEvent
from tests.support.harness import Harness
from tests.support.random_activity import CHANGES, build_edit

PAST_RUNS = 3
# Straight away, and nothing but questions about runs: what is due is due now.
CHOSEN = Preferences(delay_min=0, reminders=False, checkins=False)
ACTIONS = ("run", "run", "run", "delete", *CHANGES)
QUIET_PART = 5  # one runner in so many
NEW_PART = 10
DELIVERED = "delivered"


class ChaosScenario:
    """Lives at random, from one seed, and notes what Strava's events came to.

    Every tenth runner links while things go wrong.  Of the others every fifth is
    quiet: a single run, never touched again, so that what they must be asked is
    known without asking our policy.
    """

    def __init__(self, harness: Harness, number: int) -> None:
        self.stage = harness
        self.rng = Random(number)  # noqa: S311
        self.athletes: list[int] = []
        self.quiet: list[int] = []
        self.quiet_runs: dict[int, int] = {}
        self.newcomers: list[int] = []
        self.cropped: set[int] = set()
        self.refused_at: list[float] = []
        self._events: dict[int, OutgoingEvent] = {}

    def begin(self, runners: int, number: int) -> None:
        """Let all of them have a past, and all but the newcomers be linked."""
        world, runtime = self.stage.world, self.stage.runtime
        with world.transaction():
            grown = seed.add_athletes(
                world, count=runners, runs_each=PAST_RUNS, seed_number=number
            )
        self.newcomers = grown[::NEW_PART]
        linked_ids = [
            athlete_id for athlete_id in grown if athlete_id not in self.newcomers
        ]
        self.quiet = linked_ids[::QUIET_PART]
        self.athletes = [
            athlete_id for athlete_id in linked_ids if athlete_id not in self.quiet
        ]
        for athlete_id in linked_ids:
            self._link(athlete_id)
        while _is_importing(runtime):
            backfill.process_due(runtime)

    def link_newcomer(self) -> None:
        """Let the next newcomer link, if the tables and Strava let them."""
        try:
            self._link(self.newcomers[-1])
        except (SQLAlchemyError, MoodmilesError):
            return
        self.athletes.append(self.newcomers.pop())

    def _link(self, athlete_id: int) -> None:
        harness = self.stage
        runner_id = harness.link_runner(
            activities.require_athlete(harness.world, athlete_id)
        )
        with harness.runtime.db.transaction() as session:
            session.get_one(Runner, runner_id).preferences = CHOSEN

    def act_randomly(self) -> None:
        """Let somebody do something."""
        if self.newcomers and self.rng.random() < 1 / NEW_PART:
            self.link_newcomer()
            return
        waiting = [
            quiet_id for quiet_id in self.quiet if quiet_id not in self.quiet_runs
        ]
        if waiting and self.rng.random() < 1 / QUIET_PART:
            athlete_id = self.rng.choice(waiting)
            self.quiet_runs[athlete_id] = self._finish_run(athlete_id).id
            return
        athlete_id = self.rng.choice(self.athletes)
        activities = self.stage.world.list_activities(athlete_id)
        action = self.rng.choice(ACTIONS)
        if action == "run" or not activities:
            self._finish_run(athlete_id)
        else:
            self._change_activity(self.rng.choice(activities), action)

    def record_events(self) -> None:
        """Remember how each event fared, which the world forgets, and each refusal."""
        world = self.stage.world
        self._events |= {event.id: event for event in world.events}
        counted = world.counters.get("refused")
        if counted is not None:
            new = counted.value - len(self.refused_at)
            self.refused_at += [monotonic()] * new

    @property
    def count_waiting_events(self) -> int:
        return sum(event.state == "waiting" for event in self._events.values())

    def events(self) -> Iterator[OutgoingEvent]:
        return iter(self._events.values())

    def acknowledged(self) -> list[OutgoingEvent]:
        """Return the events that we have answered with 200, each once."""
        delivered = (event for event in self.events() if event.state == DELIVERED)
        return list({_content(event): event for event in delivered}.values())

    def list_unreported_runs(self) -> set[int]:
        """Return the runs with a change that no event of ours has told of."""
        acknowledged_contents = {_content(event) for event in self.acknowledged()}
        lost = {
            int(event.body["object_id"])
            for event in self.events()
            if _content(event) not in acknowledged_contents
        }
        return lost | self.cropped

    def _finish_run(self, athlete_id: int) -> Activity:
        athlete = activities.require_athlete(self.stage.world, athlete_id)
        return self.stage.finish_run(
            athlete,
            zone="daytime",
            distance_m=self.rng.randint(2, 20) * 1000,
            ended_minutes_ago=self.rng.randint(1, 10),
        )

    def _change_activity(self, activity: Activity, action: str) -> None:
        with self.stage.world.transaction():
            if action == "delete":
                activities.delete_activity(self.stage.world, activity)
                return
            if action == "crop":
                self.cropped.add(activity.id)
            activities.edit_activity(
                self.stage.world, activity, build_edit(activity, action, self.rng)
            )


def _is_importing(runtime: Runtime) -> bool:
    with runtime.db.read_only() as session:
        return bool(
            session.scalar(select(func.count(Backfill.due_at)).select_from(Backfill))
        )


def _content(event: OutgoingEvent) -> str:
    return json.dumps(event.body, sort_keys=True)
