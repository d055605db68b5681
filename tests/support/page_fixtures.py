"""Every state that a page can be in, each made on the shared stage."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from sqlalchemy import select, update

from sync.models import Consent, Run
from sync.runners import preferences, sign_in
from sync.runs import private
from sync.runtime import Runtime
from sync.standins.fixtures.fixtures import SCENES, Scene, prepare
from sync.surveys import unsubscribe
from sync.surveys.answering import answer, pre_run, wellbeing
from tests.support.export_fixtures import kept, letter, not_packed, packed, packing
from tests.support.harness import Stage
from tests.support.run_history import give_history, give_looks
from web.fixtures.routes import FAILURES

KM = [5, 8, 12, 7, 9, 16, 6]
MOODS = [0, 1, 1, 2, 0, -1, 2, 1, -2, 1]


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


def _kept(stage: Stage, *, is_gone: bool) -> Scene:
    runner_id, run_id = fresh_run(stage)
    _answer(stage.runtime, runner_id, run_id, 1)
    return kept(stage, runner_id, run_id, is_gone=is_gone)


def _before(stage: Stage, saved: str = "") -> Scene:
    return Scene(f"/before/{pre_run.token_for(stage.runtime, _linked(stage))}{saved}")


def _mailed(path: str = "") -> State:
    """Open what a link in a mail leads to, signed in or not."""

    def made(stage: Stage) -> Scene:
        token = unsubscribe.token_for(stage.runtime, _linked(stage))
        return Scene(f"/u/{token}{path}")

    return made


def _wellbeing(stage: Stage, said: int | None = None) -> Scene:
    """Open the longer look: switched on, and answered alike five times or not yet."""
    runner_id = _linked(stage)
    preferences.save(stage.runtime, runner_id, {"wellbeing": True, "country": "DE"})
    if said is not None:
        values = {f"who5_{number}": said for number in range(1, 6)}
        wellbeing.record(stage.runtime, runner_id, values)
    return Scene("/wellbeing", runner_id)


def _wellbeing_for_years(stage: Stage) -> Scene:
    """Open the longer look after three years of answers, more than are drawn."""
    scene = answered(stage, 200, "/wellbeing")
    assert scene.runner_id is not None
    preferences.save(stage.runtime, scene.runner_id, {"wellbeing": True})
    give_looks(stage.runtime, scene.runner_id, [n * 7 % 26 for n in range(40)])
    return scene


def _sign_ins(stage: Stage) -> Scene:
    runner_id = _linked(stage)
    for browser in ("Firefox on Linux", "Safari on iPhone", None):
        sign_in.sign_in(stage.runtime, runner_id, browser=browser)
    return Scene("/settings/sign-ins", runner_id)


def _sees_private(stage: Stage, path: str = "/settings/consents/private") -> Scene:
    runner_id = _linked(stage)
    private.agree(stage.runtime, runner_id)
    return Scene(path, runner_id)


def _agree_again(stage: Stage, *, sees_private: bool = False) -> Scene:
    runner_id = _linked(stage)
    if sees_private:
        private.agree(stage.runtime, runner_id)
    with stage.runtime.db.transaction() as session:
        session.execute(update(Consent).values(version="2025-01"))
    return Scene("/settings/consents", runner_id)


def _at(path: str) -> State:
    return lambda _stage: Scene(path)


def _prepared(name: str) -> State:
    return lambda stage: prepare(stage.runtime, name)


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
    "no-address": lambda stage: Scene("/dashboard", _linked(stage, address=False)),
    "no-run-fits": lambda stage: answered(stage, 20, "/dashboard?since=2030-01-01"),
    "four-weeks": lambda stage: answered(stage, 60, "/dashboard?period=4w"),
    "runs-behind": lambda stage: answered(stage, 60, "/dashboard?group=company.second"),
    "run-to-answer": _run,
    "run-answered": lambda stage: _run(stage, mood=1),
    "run-remove": lambda stage: _run(stage, "/remove", mood=1),
    "run-twice-recorded": _twins,
    "settings": _signed_in("/settings"),
    "run-kept": lambda stage: _kept(stage, is_gone=False),
    "run-offered": lambda stage: _run(stage, mood=1),
    "survey-offered": _prepared("survey-saved"),
    "run-own": lambda stage: _kept(stage, is_gone=True),
    "export": _signed_in("/settings/export"),
    "export-packing": lambda stage: packing(stage, _linked(stage)),
    "export-ready": lambda stage: packed(stage, _linked(stage)),
    "export-over": lambda stage: packed(stage, _linked(stage), days_ago=7),
    "export-failed": lambda stage: not_packed(stage, _linked(stage)),
    "disconnect": _signed_in("/settings/disconnect"),
    "take-back-mood": _signed_in("/settings/consents/mood"),
    "take-back-mail": _signed_in("/settings/consents/mail"),
    "take-back-private": _sees_private,
    "give-private": _signed_in("/settings/consents/private"),
    "settings-private": lambda stage: _sees_private(stage, "/settings"),
    "delete": _signed_in("/settings/delete"),
    "keep": _at("/undo/some-token"),
    "stay": _at("/stay/some-token"),
    "sign-ins": _sign_ins,
    "agree-again": _agree_again,
    "agree-again-private": lambda stage: _agree_again(stage, sees_private=True),
    "agree-again-settings": lambda stage: replace(
        _agree_again(stage), path="/settings"
    ),
    "states": _at("/states"),
    "mailbox": _at("/mailbox"),
    "letter": lambda stage: letter(stage.runtime),
    "before": _before,
    "before-saved": lambda stage: _before(stage, "?saved=4"),
    "wellbeing-off": _signed_in("/wellbeing"),
    "wellbeing": _wellbeing,
    "wellbeing-saved": lambda stage: _wellbeing(stage, 4),
    "wellbeing-for-years": _wellbeing_for_years,
    "wellbeing-low": lambda stage: _wellbeing(stage, 1),
    "stop": _mailed(),
    "stop-check-ins": _mailed("?only=checkins"),
    "stop-digest": _mailed("?only=digest"),
    "settings-from-mail": _mailed("/settings?ask=weekly"),
    "offline": _at("/offline"),
    **{name: _at(f"/states/{name}") for name in FAILURES},
    **{name: _prepared(name) for name in SCENES},
}
# Here the host keeps what is Strava's for a week, so the own log is offered.
STRICT = {"run-offered", "survey-offered"}
