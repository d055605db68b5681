"""A stage for the core: a simulated Strava on a socket, real tables, one clock."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select

from sync.inbox import handle
from sync.inbox.event import WebhookDelivery
from sync.inbox.receive import receive_delivery
from sync.models import Runner
from sync.runners import connect
from sync.runners.rules import ConsentChoices
from sync.runs import backfill
from sync.runtime import Runtime
from sync.simulator import activities, grants
from sync.simulator.records import Activity, Athlete
from sync.simulator.world import World
from sync.surveys.sending import decide_runs
from sync.vocabulary import SealedColumn
from tests.support.clock import ManualClock
from tests.support.recording_queue import RecordingQueue

SCOPE = "read,activity:read"
ALL_CONSENTS = ConsentChoices(strava=True, mood=True, mail=True, adult=True)


@dataclass(frozen=True)
class Harness:
    world: World
    runtime: Runtime
    clock: ManualClock
    queue: RecordingQueue

    def add_athlete(
        self, athlete_id: int = 7, *, zone: str = "Europe/Berlin"
    ) -> Athlete:
        athlete = Athlete(
            id=athlete_id, firstname="Ada", lastname="L.", zone=zone, created_s=0
        )
        with self.world.transaction():
            self.world.athletes.put(athlete)
        return athlete

    def finish_run(self, athlete: Athlete, **fields: Any) -> Activity:
        """Let an athlete finish a run; `life.NewRun` names what can be wished."""
        with self.world.transaction():
            return activities.upload_run(
                self.world, athlete, activities.RunUpload(**fields)
            )

    def link_runner(
        self,
        athlete: Athlete,
        *,
        scope: str = SCOPE,
        consents: ConsentChoices = ALL_CONSENTS,
        has_address: bool = True,
    ) -> int:
        """Walk through consent here and there; the past is not imported yet."""
        url = connect.begin_link(
            self.runtime, browser="browser", given_consents=consents
        )
        state = parse_qs(urlsplit(url).query)["state"][0]
        with self.world.transaction():
            code = grants.issue_code(self.world, athlete.id, scope)
        linked = connect.finish_link(
            self.runtime, state=state, browser="browser", code=code, scope=scope
        )
        if has_address:
            self.confirm_address(linked.runner_id)
        return linked.runner_id

    def confirm_address(self, runner_id: int) -> None:
        confirm_address(self.runtime, runner_id)

    def deliver_event(
        self, athlete: Athlete, run_id: int, aspect: str, **updates: str
    ) -> bool:
        """Hand in an event as Strava would."""
        return receive_delivery(
            self.runtime,
            WebhookDelivery.model_validate(
                {
                    "object_type": "activity",
                    "object_id": run_id,
                    "aspect_type": aspect,
                    "owner_id": athlete.id,
                    "subscription_id": 1,
                    "event_time": int(self.clock().timestamp()),
                    "updates": updates,
                }
            ),
        )

    def process_all_due(self) -> None:
        """Do everything that is due now, as the workers would."""
        handle.process_due(self.runtime)
        backfill.process_due(self.runtime)
        decide_runs.process_due(self.runtime)

    def advance_clock(self, **time: float) -> None:
        self.clock.advance(**time)

    def count_strava_reads(self) -> int:
        """Count the requests that Strava has answered or refused."""
        kinds = ("list", "detail")
        return sum(
            counter.value
            for counter in self.world.counters
            if counter.name.removeprefix("requests ") in kinds
        )


def confirm_address(runtime: Runtime, runner_id: int) -> None:
    """Let a runner have said yes to the link in the first mail."""
    address = f"runner{runner_id}@example.org"
    with runtime.db.transaction() as session:
        runner = session.scalars(select(Runner).where(Runner.id == runner_id)).one()
        runner.email = runtime.sealer.seal(address, SealedColumn.ADDRESS)
        runner.email_hash = runtime.sealer.lookup_hashes(address)[0]
        runner.email_confirmed_at = runtime.db.now(session)
