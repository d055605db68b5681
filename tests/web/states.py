"""Every state that a page can be in, each made on the shared stage."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from sqlalchemy import select

from sync.models import Backfill, Connection, Run, Runner
from sync.runtime import Runtime
from sync.surveys import answer
from tests.mailbag import token_in
from tests.stage import Stage
from tests.web.history import give_history

KM = [5, 8, 12, 7, 9, 16, 6]
MOODS = [0, 1, 1, 2, 0, -1, 2, 1, -2, 1]


@dataclass(frozen=True, slots=True)
class Scene:
    """Where to go, and as whom (nobody without a runner)."""

    path: str
    runner_id: int | None = None


State: TypeAlias = Callable[[Stage], Scene]


def _linked(stage: Stage, *, address: bool = True) -> int:
    athlete = stage.athlete()
    stage.run(athlete, distance_m=8200, moving_s=2700, ended_minutes_ago=60 * 48)
    runner_id = stage.link(athlete, address=address)
    stage.work()
    return runner_id


def fresh_run(stage: Stage, *, ended_minutes_ago: float = 30) -> tuple[int, int]:
    """Let a linked runner finish a run; return the runner and our run's id."""
    runner_id = _linked(stage)
    athlete = stage.world.athletes.get(7)
    assert athlete
    run = stage.run(athlete, ended_minutes_ago=ended_minutes_ago)
    stage.tell(athlete, run.id, "create")
    stage.work()
    with stage.runtime.db.reading() as session:
        run_id = session.scalars(select(Run.id).order_by(Run.id.desc())).first()
    assert run_id
    return runner_id, run_id


def answered(stage: Stage, many: int, path: str = "/dashboard") -> Scene:
    """Sign in a runner who answered after each of their last `many` runs."""
    runner_id = _linked(stage)
    moods = [MOODS[day * 7 % len(MOODS)] for day in range(many)]
    # Seasons, and no two weeks alike.
    km = [
        (KM[day % len(KM)] + day * 37 % 29 / 10) * (1 + day // 30 % 5) / 3
        for day in range(many)
    ]
    give_history(stage.runtime, runner_id, moods=moods, km=km)
    return Scene(path, runner_id)


def _importing(stage: Stage, *, waiting_for: str | None = None) -> Scene:
    athlete = stage.athlete()
    stage.run(athlete, ended_minutes_ago=60 * 48)
    runner_id = stage.link(athlete)
    with stage.runtime.db.transaction() as session:
        backfill = session.get_one(Backfill, runner_id)
        backfill.runs_stored, backfill.waiting_for = 214, waiting_for
        backfill.due_at = stage.clock() + timedelta(minutes=9)
        backfill.reached = (stage.clock() - timedelta(days=400)).date()
        backfill.member_since = (stage.clock() - timedelta(days=900)).date()
    return Scene("/dashboard", runner_id)


def _no_runs(stage: Stage) -> Scene:
    runner_id = stage.link(stage.athlete())
    stage.work()
    return Scene("/dashboard", runner_id)


def _broken(stage: Stage) -> Scene:
    runner_id = _linked(stage)
    with stage.runtime.db.transaction() as session:
        session.get_one(Connection, runner_id).broken_at = stage.clock()
    return Scene("/dashboard", runner_id)


def _bounced(stage: Stage) -> Scene:
    runner_id = _linked(stage)
    with stage.runtime.db.transaction() as session:
        session.get_one(Runner, runner_id).email_bounced_at = stage.clock()
    return Scene("/dashboard", runner_id)


def _low(stage: Stage) -> Scene:
    runner_id = _linked(stage)
    give_history(stage.runtime, runner_id, moods=[0, -2, -2, -2], km=KM)
    return Scene("/dashboard", runner_id)


def _survey(stage: Stage, *, saved: bool = False, days_later: int = 0) -> Scene:
    fresh_run(stage, ended_minutes_ago=0)
    token = token_in(stage.runtime)
    if saved:
        answer.record(stage.runtime, token=token, values={"mood": 1, "stress": 2})
    stage.pass_time(days=days_later)
    return Scene(f"/s/{token}" if saved else f"/s/{token}?m=4")


def _run(stage: Stage, path: str = "", *, mood: int | None = None) -> Scene:
    runner_id, run_id = fresh_run(stage)
    if mood is not None:
        _answer(stage.runtime, runner_id, run_id, mood)
    return Scene(f"/runs/{run_id}{path}", runner_id)


def _answer(runtime: Runtime, runner_id: int, run_id: int, mood: int) -> None:
    values = {"mood": mood, "stress": 1}
    answer.record_for_run(runtime, runner_id=runner_id, run_id=run_id, values=values)


def _twins(stage: Stage) -> Scene:
    runner_id, run_id = fresh_run(stage)
    athlete = stage.world.athletes.get(7)
    assert athlete
    twin = stage.run(athlete, ended_minutes_ago=30, manual=True)
    stage.tell(athlete, twin.id, "create")
    stage.work()
    return Scene(f"/runs/{run_id}", runner_id)


def _at(path: str) -> State:
    return lambda _stage: Scene(path)


def _signed_in(path: str) -> State:
    return lambda stage: Scene(path, _linked(stage))


STATES: Mapping[str, State] = {
    "landing": _at("/"),
    "privacy": _at("/privacy"),
    "help": _at("/help"),
    "consent": _at("/connect"),
    "consent-new-here": _at("/connect?new=1"),
    "sign-in": _at("/login"),
    "sign-in-sent": _at("/login?sent=1"),
    "sign-in-link": _at("/login/some-token"),
    "link-over": _at("/email/confirm/unknown"),
    "not-found": _at("/nowhere"),
    "visit-over": _at("/connect/callback?state=x&code=y"),
    "address": lambda stage: Scene("/email", _linked(stage, address=False)),
    "importing": _importing,
    "importing-slowed": lambda stage: _importing(stage, waiting_for="limit"),
    "importing-strava-down": lambda stage: _importing(stage, waiting_for="strava"),
    "no-runs": _no_runs,
    "no-answers": _signed_in("/dashboard"),
    "no-address": lambda stage: Scene("/dashboard", _linked(stage, address=False)),
    "to-answer": lambda stage: Scene("/dashboard", fresh_run(stage)[0]),
    "answers-3": lambda stage: answered(stage, 3),
    "answers-20": lambda stage: answered(stage, 20),
    "answers-500": lambda stage: answered(stage, 500),
    "no-run-fits": lambda stage: answered(stage, 20, "/dashboard?since=2030-01-01"),
    "four-weeks": lambda stage: answered(stage, 60, "/dashboard?period=4w"),
    "low-answers": _low,
    "bounced": _bounced,
    "strava-disconnected": _broken,
    "run": _run,
    "run-answered": lambda stage: _run(stage, mood=1),
    "run-remove": lambda stage: _run(stage, "/remove", mood=1),
    "run-twice-recorded": _twins,
    "survey": _survey,
    "survey-saved": lambda stage: _survey(stage, saved=True),
    "survey-expired": lambda stage: _survey(stage, days_later=3),
    "settings": _signed_in("/settings"),
    "export": _signed_in("/settings/export"),
    "disconnect": _signed_in("/settings/disconnect"),
    "take-back-mood": _signed_in("/settings/consents/mood"),
    "take-back-mail": _signed_in("/settings/consents/mail"),
    "delete": _signed_in("/settings/delete"),
}
