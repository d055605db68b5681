"""The processes of the worker pool: each works like any worker and dies on cue."""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from pathlib import Path
from time import sleep
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine, event
from typing_extensions import override

from sync.crypto import Sealer
from sync.database import Database, open_engine
from sync.errors import TryLater
from sync.inbox import handle
from sync.inbox.event import WebhookDelivery
from sync.inbox.receive import receive_delivery
from sync.portability import exports
from sync.runners import disconnect
from sync.runners.tokens import get_access_token
from sync.runs import backfill, reconcile
from sync.runtime import Runtime
from sync.settings import Settings
from sync.strava import Activity, ActivityPage, Lane, Tokens
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from sync.surveys.sending import decide_runs
from tests.conftest import KEY
from tests.support.clock import ManualClock
from tests.support.recording_queue import RecordingQueue

Values = dict[str, Any]


class KillSwitch:
    """Counts steps and kills this process at the one that was chosen."""

    def __init__(self, dies_at: int | None) -> None:
        self._dies_at = dies_at
        self._steps = 0
        self._deadly_run_id: int | None = None

    def die_over(self, run_id: int) -> None:
        """Die whenever this run is asked for, whichever step that is."""
        self._deadly_run_id = run_id

    def ask_for(self, run_id: int) -> None:
        if run_id == self._deadly_run_id:
            os.kill(os.getpid(), signal.SIGKILL)

    def step(self, *_: object) -> None:
        self._steps += 1
        if self._steps == self._dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, engine: Engine) -> None:
        event.listen(engine, "commit", self.step)
        # The connection goes back to its pool right after the commit.
        event.listen(engine, "checkin", self.step)


class KillSwitchStrava(HttpStrava):
    """Every request is two steps: one before it leaves, one after the answer."""

    def __init__(
        self, settings: Settings, fate: KillSwitch, clock: ManualClock
    ) -> None:
        super().__init__(settings, budget=Budget("", clock=clock))
        self._fate = fate

    @override
    def run(self, access_token: str, run_id: int, *, lane: Lane) -> Activity:
        self._fate.ask_for(run_id)
        self._fate.step()
        try:
            return super().run(access_token, run_id, lane=lane)
        finally:
            self._fate.step()

    @override
    def page(
        self,
        access_token: str,
        *,
        lane: Lane,
        page: int = 1,
        before: datetime | None = None,
        after: datetime | None = None,
    ) -> ActivityPage:
        self._fate.step()
        try:
            return super().page(
                access_token, lane=lane, page=page, before=before, after=after
            )
        finally:
            self._fate.step()

    @override
    def refresh(self, refresh_token: str) -> Tokens:
        self._fate.step()
        try:
            return super().refresh(refresh_token)
        finally:
            self._fate.step()

    @override
    def revoke(self, token: str) -> None:
        self._fate.step()
        try:
            super().revoke(token)
        finally:
            self._fate.step()


def deliver_events(runtime: Runtime, values: Values) -> None:
    """Take many events in, about many athletes, as a busy web process does."""
    for number in range(values["first"], values["first"] + values["events"]):
        event_body = {
            "object_type": "activity",
            "object_id": number,
            "aspect_type": "update",
            "owner_id": values["athlete_id"] + number % values["athletes"],
            "subscription_id": 1,
            "event_time": 1_777_000_000,
            "updates": {"title": "x"},
        }
        receive_delivery(runtime, WebhookDelivery.model_validate(event_body))


def refresh_tokens(runtime: Runtime, values: Values) -> None:
    """Ask for a new token again and again, as if each one were refused."""
    for _ in range(values["times"]):
        try:
            stale = get_access_token(runtime, values["runner_id"])
            get_access_token(runtime, values["runner_id"], refused=stale)
        except TryLater:
            sleep(0.002)


JOBS: dict[str, Callable[[Runtime, Values], None]] = {
    "inbox": lambda runtime, _: handle.process_due(runtime),
    "backfill": lambda runtime, _: backfill.process_due(runtime),
    "reconcile": lambda runtime, _: reconcile.process_due(runtime),
    "surveys": lambda runtime, _: decide_runs.process_due(runtime),
    "disconnect": lambda runtime, values: disconnect.disconnect(
        runtime, values["runner_id"]
    ),
    "leaving": lambda runtime, _: disconnect.process_removals(runtime),
    "export": lambda runtime, _: exports.process_due(runtime),
    "deliver": deliver_events,
    "refresh": refresh_tokens,
}


def main() -> None:
    # What a worker loads when it first needs it, loaded once for all forks.
    for name in ("strava.http", "strava.stravalib_adapter", "portability.study_files"):
        import_module(f"sync.{name}")
    for line in sys.stdin:
        order = json.loads(line)
        workers = [_fork(order, job) for job in order["jobs"]]
        exit_codes = [
            os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) for worker in workers
        ]
        sys.stdout.write(f"{json.dumps(exit_codes)}\n")
        sys.stdout.flush()


def _fork(order: Values, job: Values) -> int:
    worker = os.fork()
    if worker:
        return worker
    code = 1
    try:
        # What a worker logs must not be read as this process's answer.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        _work(order, job)
        code = 0
    except BaseException:  # noqa: BLE001 - said aloud, then the process ends
        traceback.print_exc()
    os._exit(code)


def _work(order: Values, job: Values) -> None:
    fate = KillSwitch(job["kill_at_step"])
    if "deadly_run_id" in job["values"]:
        fate.die_over(job["values"]["deadly_run_id"])
    settings = _settings(order["settings"])
    now = ManualClock(datetime.fromisoformat(order["now"]))
    engine = open_engine(settings.sql_url)
    fate.watch(engine)
    queue = RecordingQueue()
    clock = None if job["values"].get("real_clock") else now
    runtime = Runtime(
        settings=settings,
        db=Database(engine, queue, clock=clock),
        queue=queue,
        strava=KillSwitchStrava(settings, fate, now),
        sealer=Sealer([KEY]),
        now=now,
    )
    JOBS[job["work"]](runtime, job["values"])


def _settings(values: Values) -> Settings:
    return Settings.model_construct(
        **(values | {"data_dir": Path(values["data_dir"])}),
        redis_url="",
        strava_client_id=1,
        strava_client_secret=SecretStr("simulated"),
        secret_keys=[SecretStr(KEY)],
    )


if __name__ == "__main__":
    main()
