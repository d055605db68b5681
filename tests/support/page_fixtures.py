"""Every state that a page can be in, each made on the shared harness."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from sqlalchemy import select, update

from sync.models import Consent, Run
from sync.runners import preferences, sign_in
from sync.runs import private
from sync.runtime import Runtime
from sync.standins.fixtures.fixtures import FIXTURES, Fixture, build_fixture
from sync.surveys import unsubscribe
from sync.surveys.answering import answer, pre_run, wellbeing
from tests.support.export_fixtures import (
    add_mailbox_email,
    build_failed_export,
    build_packed_export,
    build_packing_export,
    build_retained_run,
)
from tests.support.harness import Harness
from tests.support.run_history import add_answered_runs, add_wellbeing_answers
from web.fixtures.routes import FAILURES

KM = [5, 8, 12, 7, 9, 16, 6]
MOODS = [0, 1, 1, 2, 0, -1, 2, 1, -2, 1]


State: TypeAlias = Callable[[Harness], Fixture]


def _linked(harness: Harness, *, address: bool = True) -> int:
    athlete = harness.add_athlete()
    harness.finish_run(
        athlete, distance_m=8200, moving_s=2700, ended_minutes_ago=60 * 48
    )
    runner_id = harness.link_runner(athlete, has_address=address)
    harness.process_all_due()
    return runner_id


def build_fresh_run(
    harness: Harness, *, ended_minutes_ago: float = 30
) -> tuple[int, int]:
    """Let a linked runner finish a run; return the runner and our run's id."""
    runner_id = _linked(harness)
    athlete = harness.world.athletes.get(7)
    assert athlete
    run = harness.finish_run(athlete, ended_minutes_ago=ended_minutes_ago)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    with harness.runtime.db.read_only() as session:
        run_id = session.scalars(select(Run.id).order_by(Run.id.desc())).first()
    assert run_id
    return runner_id, run_id


def build_answered(harness: Harness, count: int, path: str = "/dashboard") -> Fixture:
    """Sign in a runner who answered after each of their last `many` runs."""
    runner_id = _linked(harness)
    moods = [MOODS[day * 7 % len(MOODS)] for day in range(count)]
    # Seasons, and no two weeks alike.
    km = [
        (KM[day % len(KM)] + day * 37 % 29 / 10) * (1 + day // 30 % 5) / 3
        for day in range(count)
    ]
    add_answered_runs(harness.runtime, runner_id, moods=moods, km=km)
    return Fixture(path, runner_id)


def _run(harness: Harness, path: str = "", *, mood: int | None = None) -> Fixture:
    runner_id, run_id = build_fresh_run(harness)
    if mood is not None:
        _answer(harness.runtime, runner_id, run_id, mood)
    return Fixture(f"/runs/{run_id}{path}", runner_id)


def _answer(runtime: Runtime, runner_id: int, run_id: int, mood: int) -> None:
    values = {"mood": mood, "stress": 1}
    answer.record_run_answer(runtime, runner_id=runner_id, run_id=run_id, values=values)


def _twins(harness: Harness) -> Fixture:
    runner_id, run_id = build_fresh_run(harness)
    athlete = harness.world.athletes.get(7)
    assert athlete
    twin = harness.finish_run(athlete, ended_minutes_ago=30, manual=True)
    harness.deliver_event(athlete, twin.id, "create")
    harness.process_all_due()
    return Fixture(f"/runs/{run_id}", runner_id)


def _kept(harness: Harness, *, is_gone: bool) -> Fixture:
    runner_id, run_id = build_fresh_run(harness)
    _answer(harness.runtime, runner_id, run_id, 1)
    return build_retained_run(harness, runner_id, run_id, is_gone=is_gone)


def _before(harness: Harness, saved: str = "") -> Fixture:
    return Fixture(
        f"/before/{pre_run.create_token(harness.runtime, _linked(harness))}{saved}"
    )


def _mailed(path: str = "") -> State:
    """Open what a link in a mail leads to, signed in or not."""

    def made(harness: Harness) -> Fixture:
        token = unsubscribe.create_token(harness.runtime, _linked(harness))
        return Fixture(f"/u/{token}{path}")

    return made


def _wellbeing(harness: Harness, value: int | None = None) -> Fixture:
    """Open the longer look: switched on, and answered alike five times or not yet."""
    runner_id = _linked(harness)
    preferences.save_preferences(
        harness.runtime, runner_id, {"wellbeing": True, "country": "DE"}
    )
    if value is not None:
        values = {f"who5_{number}": value for number in range(1, 6)}
        wellbeing.record_answers(harness.runtime, runner_id, values)
    return Fixture("/wellbeing", runner_id)


def _wellbeing_for_years(harness: Harness) -> Fixture:
    """Open the longer look after three years of answers, more than are drawn."""
    scene = build_answered(harness, 200, "/wellbeing")
    assert scene.runner_id is not None
    preferences.save_preferences(harness.runtime, scene.runner_id, {"wellbeing": True})
    add_wellbeing_answers(
        harness.runtime, scene.runner_id, [n * 7 % 26 for n in range(40)]
    )
    return scene


def _sign_ins(harness: Harness) -> Fixture:
    runner_id = _linked(harness)
    for browser in ("Firefox on Linux", "Safari on iPhone", None):
        sign_in.sign_in(harness.runtime, runner_id, browser=browser)
    return Fixture("/settings/sign-ins", runner_id)


def _sees_private(
    harness: Harness, path: str = "/settings/consents/private"
) -> Fixture:
    runner_id = _linked(harness)
    private.grant_consent(harness.runtime, runner_id)
    return Fixture(path, runner_id)


def _agree_again(harness: Harness, *, sees_private: bool = False) -> Fixture:
    runner_id = _linked(harness)
    if sees_private:
        private.grant_consent(harness.runtime, runner_id)
    with harness.runtime.db.transaction() as session:
        session.execute(update(Consent).values(version="2025-01"))
    return Fixture("/settings/consents", runner_id)


def _at(path: str) -> State:
    return lambda _stage: Fixture(path)


def _prepared(name: str) -> State:
    return lambda harness: build_fixture(harness.runtime, name)


def _signed_in(path: str) -> State:
    return lambda harness: Fixture(path, _linked(harness))


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
    "no-address": lambda harness: Fixture(
        "/dashboard", _linked(harness, address=False)
    ),
    "no-run-fits": lambda harness: build_answered(
        harness, 20, "/dashboard?since=2030-01-01"
    ),
    "four-weeks": lambda harness: build_answered(harness, 60, "/dashboard?period=4w"),
    "runs-behind": lambda harness: build_answered(
        harness, 60, "/dashboard?group=company.second"
    ),
    "run-to-answer": _run,
    "run-answered": lambda harness: _run(harness, mood=1),
    "run-remove": lambda harness: _run(harness, "/remove", mood=1),
    "run-twice-recorded": _twins,
    "settings": _signed_in("/settings"),
    "run-kept": lambda harness: _kept(harness, is_gone=False),
    "run-offered": lambda harness: _run(harness, mood=1),
    "survey-offered": _prepared("survey-saved"),
    "run-own": lambda harness: _kept(harness, is_gone=True),
    "export": _signed_in("/settings/export"),
    "export-packing": lambda harness: build_packing_export(harness, _linked(harness)),
    "export-ready": lambda harness: build_packed_export(harness, _linked(harness)),
    "export-over": lambda harness: build_packed_export(
        harness, _linked(harness), days_ago=7
    ),
    "export-failed": lambda harness: build_failed_export(harness, _linked(harness)),
    "disconnect": _signed_in("/settings/disconnect"),
    "take-back-mood": _signed_in("/settings/consents/mood"),
    "take-back-mail": _signed_in("/settings/consents/mail"),
    "take-back-private": _sees_private,
    "give-private": _signed_in("/settings/consents/private"),
    "settings-private": lambda harness: _sees_private(harness, "/settings"),
    "delete": _signed_in("/settings/delete"),
    "keep": _at("/undo/some-token"),
    "stay": _at("/stay/some-token"),
    "sign-ins": _sign_ins,
    "agree-again": _agree_again,
    "agree-again-private": lambda harness: _agree_again(harness, sees_private=True),
    "agree-again-settings": lambda harness: replace(
        _agree_again(harness), path="/settings"
    ),
    "states": _at("/states"),
    "mailbox": _at("/mailbox"),
    "letter": lambda harness: add_mailbox_email(harness.runtime),
    "before": _before,
    "before-saved": lambda harness: _before(harness, "?saved=4"),
    "wellbeing-off": _signed_in("/wellbeing"),
    "wellbeing": _wellbeing,
    "wellbeing-saved": lambda harness: _wellbeing(harness, 4),
    "wellbeing-for-years": _wellbeing_for_years,
    "wellbeing-low": lambda harness: _wellbeing(harness, 1),
    "stop": _mailed(),
    "stop-check-ins": _mailed("?only=checkins"),
    "stop-digest": _mailed("?only=digest"),
    "settings-from-mail": _mailed("/settings?ask=weekly"),
    "offline": _at("/offline"),
    **{name: _at(f"/states/{name}") for name in FAILURES},
    **{name: _prepared(name) for name in FIXTURES},
}
# Here the host keeps what is Strava's for a week, so the own log is offered.
STRICT = {"run-offered", "survey-offered"}
