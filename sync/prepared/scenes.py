"""Every state that needs a runner, made anew each time somebody opens it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy.orm import Session

from sync.crypto import new_token, pairing_key, token_hash
from sync.models import Backfill, Connection, Run, Runner, Survey
from sync.prepared.past import Past, new_runner, remember
from sync.runners import deletion
from sync.runtime import Runtime
from sync.surveys import instruments
from sync.surveys.answering import answer

DASHBOARD = "/dashboard"
LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Scene:
    """Where to go, and as whom (nobody without a runner)."""

    path: str
    runner_id: int | None = None


@dataclass(frozen=True, slots=True)
class Making:
    """One scene being made: whose it is, and where its rows go."""

    runtime: Runtime
    session: Session
    runner: Runner
    now: datetime

    def past(self, past: Past) -> list[int]:
        return remember(self.runtime, self.session, self.runner, past, now=self.now)

    def on(self, path: str) -> Scene:
        return Scene(path, self.runner.id)


Maker: TypeAlias = Callable[[Making], Scene]


def prepare(runtime: Runtime, name: str) -> Scene:
    """Make the scene `name` and say where it is to be seen.

    Raises `KeyError` for a name that is not among `SCENES`.
    """
    make, number = SCENES[name], list(SCENES).index(name) + 1
    with runtime.db.transaction() as session:
        now = runtime.db.now(session)
        runner = new_runner(
            runtime, session, number, now=now, address=name not in _NO_ADDRESS
        )
        scene = make(Making(runtime, session, runner, now))
    if name == "survey-saved":
        token = scene.path.rpartition("/")[2]
        answer.record(runtime, token=token, values={"mood": 1})
    if name == "going" and scene.runner_id is not None:
        deletion.ask(runtime, scene.runner_id)
    return scene


def _dashboard(past: Past) -> Maker:
    def make(making: Making) -> Scene:
        making.past(past)
        return making.on(DASHBOARD)

    return make


def _importing(waiting_for: str | None = None) -> Maker:
    def make(making: Making) -> Scene:
        now = making.now
        making.past(Past(runs=214))
        making.session.add(
            Backfill(
                runner_id=making.runner.id,
                before=now,
                runs_stored=214,
                activities_seen=240,
                reached=(now - timedelta(hours=44 * 214)).date(),
                member_since=(now - timedelta(days=900)).date(),
                # No worker takes it up while somebody looks.
                due_at=now + timedelta(minutes=9),
                waiting_for=waiting_for,
                started_at=now - timedelta(minutes=1),
            )
        )
        return making.on(DASHBOARD)

    return make


def _bounced(making: Making) -> Scene:
    making.past(Past(runs=60, answers=20))
    making.runner.email_bounced_at = making.now
    return making.on(DASHBOARD)


def _disconnected(making: Making) -> Scene:
    making.past(Past(runs=60, answers=20))
    connection = making.session.get_one(Connection, making.runner.id)
    connection.broken_at = making.now
    return making.on(DASHBOARD)


def _going(making: Making) -> Scene:
    making.past(Past(runs=60, answers=20))
    # When the time is over, nothing is left to give back to Strava.
    making.session.delete(making.session.get_one(Connection, making.runner.id))
    return making.on("/settings/delete")


def _address(making: Making) -> Scene:
    making.past(Past(runs=60))
    return making.on("/email")


def _run(making: Making) -> Scene:
    return making.on(f"/runs/{making.past(Past(runs=60, answers=20))[-1]}")


def _survey(path: str, *, ended_hours_ago: float) -> Maker:
    def make(making: Making) -> Scene:
        past = Past(runs=20, latest_hours_ago=ended_hours_ago)
        run_id = making.past(past)[-1]
        token = new_token()
        run = making.session.get_one(Run, run_id)
        ended_at = making.now - timedelta(hours=ended_hours_ago)
        making.session.add(
            Survey(
                runner_id=making.runner.id,
                run_id=run_id,
                pairing_key=pairing_key(run.source, run.source_id),
                kind="run",
                token_hash=token_hash(token),
                instrument=instruments.CURRENT,
                reversed_order=False,
                created_at=ended_at,
                send_at=ended_at,
                sent_at=ended_at,
                expires_at=ended_at + LIFE,
            )
        )
        return Scene(path.format(token=token))

    return make


SCENES: Mapping[str, Maker] = {
    "address": _address,
    "importing": _importing(),
    "importing-slowed": _importing("limit"),
    "importing-strava-down": _importing("strava"),
    "no-runs": _dashboard(Past(runs=0)),
    "no-answers": _dashboard(Past(runs=130)),
    "to-answer": _dashboard(Past(runs=130, latest_hours_ago=0.7)),
    "answers-3": _dashboard(Past(runs=33, answers=3)),
    "answers-20": _dashboard(Past(runs=60, answers=20)),
    "answers-500": _dashboard(Past(runs=500, answers=500, hours_apart=26)),
    "runs-10000": _dashboard(Past(runs=10_000, answers=7_000, hours_apart=12)),
    "low-answers": _dashboard(Past(runs=60, answers=4, moods=(0, -2, -2, -2))),
    "bounced": _bounced,
    "strava-disconnected": _disconnected,
    "going": _going,
    "run": _run,
    "survey": _survey("/s/{token}?m=4", ended_hours_ago=0.7),
    "survey-saved": _survey("/s/{token}", ended_hours_ago=0.7),
    "survey-expired": _survey("/s/{token}?m=4", ended_hours_ago=60),
}
_NO_ADDRESS = frozenset({"address"})
