"""Every state that a page can be in, each made on the shared harness."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from sqlalchemy import select, update

from sync.models import Consent, Run
from sync.runners import address, preferences, sign_in
from sync.runners.address import AskingBrowser
from sync.runs import private
from sync.runtime import Runtime
from sync.standins.fixtures.fixtures import FIXTURES, Fixture, build_fixture
from sync.surveys import unsubscribe
from sync.surveys.answering import answer, own_notes, pre_run, wellbeing
from tests.support.export_fixtures import (
    add_mailbox_email,
    build_failed_export,
    build_packed_export,
    build_packing_export,
    build_retained_run,
)
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.support.question_answers import add_every_answer
from tests.support.run_history import add_answered_runs, add_wellbeing_answers
from web.fixtures.routes import FAILURES

KM = [5, 8, 12, 7, 9, 16, 6]
MOODS = [0, 1, 1, 2, 0, -1, 2, 1, -2, 1]


State: TypeAlias = Callable[[Harness], Fixture]


def _link_synced_runner(harness: Harness, *, address: bool = True) -> int:
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
    runner_id = _link_synced_runner(harness)
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
    """Sign in a runner who answered after each of their last `count` runs."""
    runner_id = _link_synced_runner(harness)
    moods = [MOODS[day * 7 % len(MOODS)] for day in range(count)]
    # Seasons, and no two weeks alike.
    km = [
        (KM[day % len(KM)] + day * 37 % 29 / 10) * (1 + day // 30 % 5) / 3
        for day in range(count)
    ]
    add_answered_runs(harness.runtime, runner_id, moods=moods, km=km)
    return Fixture(path, runner_id)


def build_all_answered(harness: Harness, path: str, count: int = 70) -> Fixture:
    """Sign in a runner who has answered every question there is after each run."""
    fixture = build_answered(harness, count, path)
    assert fixture.runner_id is not None
    add_every_answer(harness.runtime, fixture.runner_id)
    return fixture


def build_claims(harness: Harness, count: int = 130) -> Fixture:
    """Open the claims of a runner who has answered every question there is."""
    return build_all_answered(harness, "/claims", count)


def _build_run_page(
    harness: Harness, path: str = "", *, mood: int | None = None
) -> Fixture:
    runner_id, run_id = build_fresh_run(harness)
    if mood is not None:
        _answer_run(harness.runtime, runner_id, run_id, mood)
    return Fixture(f"/runs/{run_id}{path}", runner_id)


def _build_notes(harness: Harness) -> Fixture:
    """Open the lines of a runner who wrote one beside the answer to a run."""
    runner_id, run_id = build_fresh_run(harness)
    _answer_run(harness.runtime, runner_id, run_id, 1)
    own_notes.save_for_run(
        harness.runtime, runner_id=runner_id, run_id=run_id, text="Garmin 42"
    )
    return Fixture("/notes", runner_id)


def _answer_run(runtime: Runtime, runner_id: int, run_id: int, mood: int) -> None:
    values = {"mood": mood, "stress": 1}
    answer.record_run_answer(runtime, runner_id=runner_id, run_id=run_id, values=values)


def _build_duplicates(harness: Harness) -> Fixture:
    runner_id, run_id = build_fresh_run(harness)
    athlete = harness.world.athletes.get(7)
    assert athlete
    duplicate = harness.finish_run(athlete, ended_minutes_ago=30, manual=True)
    harness.deliver_event(athlete, duplicate.id, "create")
    harness.process_all_due()
    return Fixture(f"/runs/{run_id}", runner_id)


def _build_retained(harness: Harness, *, is_gone: bool) -> Fixture:
    runner_id, run_id = build_fresh_run(harness)
    _answer_run(harness.runtime, runner_id, run_id, 1)
    return build_retained_run(harness, runner_id, run_id, is_gone=is_gone)


def _build_pre_run(harness: Harness, saved: str = "") -> Fixture:
    token = pre_run.create_token(harness.runtime, _link_synced_runner(harness))
    return Fixture(f"/before/{token}{saved}")


def _open_mail_link(path: str = "") -> State:
    """Return a state that opens a mail's unsubscribe link."""

    def build(harness: Harness) -> Fixture:
        token = unsubscribe.create_token(harness.runtime, _link_synced_runner(harness))
        return Fixture(f"/u/{token}{path}")

    return build


def _build_wellbeing(harness: Harness, value: int | None = None) -> Fixture:
    """Enable the wellbeing questions; answer all five with `value` if there is one."""
    runner_id = _link_synced_runner(harness)
    preferences.save_preferences(
        harness.runtime, runner_id, {"wellbeing": True, "country": "DE"}
    )
    if value is not None:
        values = {f"who5_{number}": value for number in range(1, 6)}
        wellbeing.record_answers(harness.runtime, runner_id, values)
    return Fixture("/wellbeing", runner_id)


def _build_long_wellbeing(harness: Harness) -> Fixture:
    """Add three years of wellbeing answers, more than the chart draws."""
    fixture = build_answered(harness, 200, "/wellbeing")
    assert fixture.runner_id is not None
    preferences.save_preferences(
        harness.runtime, fixture.runner_id, {"wellbeing": True}
    )
    add_wellbeing_answers(
        harness.runtime, fixture.runner_id, [n * 7 % 26 for n in range(40)]
    )
    return fixture


def _build_sign_ins(harness: Harness) -> Fixture:
    runner_id = _link_synced_runner(harness)
    for browser in ("Firefox on Linux", "Safari on iPhone", None):
        sign_in.sign_in(harness.runtime, runner_id, browser=browser)
    return Fixture("/settings/sign-ins", runner_id)


def _build_confirmation(harness: Harness) -> Fixture:
    """Open a confirmation in another browser than the one that asked."""
    runtime = harness.runtime
    runner_id = _link_synced_runner(harness)
    token = sign_in.sign_in(runtime, runner_id, browser="Firefox on Linux")
    address.request_confirmation(
        runtime,
        runner_id=runner_id,
        email="ada@example.org",
        asked_in=AskingBrowser(sign_in_token=token, browser_token="asked here"),
    )
    link = read_pending_token(runtime, "confirm_address")
    return Fixture(f"/email/confirm/{link}", None)


def _build_private_consent(
    harness: Harness, path: str = "/settings/consents/private"
) -> Fixture:
    runner_id = _link_synced_runner(harness)
    private.grant_consent(harness.runtime, runner_id)
    return Fixture(path, runner_id)


def _build_outdated_consent(harness: Harness, *, sees_private: bool = False) -> Fixture:
    runner_id = _link_synced_runner(harness)
    if sees_private:
        private.grant_consent(harness.runtime, runner_id)
    with harness.runtime.db.transaction() as session:
        session.execute(update(Consent).values(version="2025-01"))
    return Fixture("/settings/consents", runner_id)


def _visit(path: str) -> State:
    return lambda _harness: Fixture(path)


def _use_standin(name: str) -> State:
    return lambda harness: build_fixture(harness.runtime, name)


def _visit_signed_in(path: str) -> State:
    return lambda harness: Fixture(path, _link_synced_runner(harness))


STATES: Mapping[str, State] = {
    "landing": _visit("/"),
    "privacy": _visit("/privacy"),
    "help": _visit("/help"),
    "consent": _visit("/connect"),
    "consent-new-here": _visit("/connect?new=1"),
    "sign-in": _visit("/login"),
    "sign-in-sent": _visit("/login?sent=1"),
    "sign-in-link": _visit("/login/some-token"),
    "link-over": _visit("/email/confirm/unknown"),
    "not-found": _visit("/nowhere"),
    "visit-over": _visit("/connect/callback?state=x&code=y"),
    "no-address": lambda harness: Fixture(
        "/dashboard", _link_synced_runner(harness, address=False)
    ),
    "no-run-fits": lambda harness: build_answered(
        harness, 20, "/dashboard?since=2030-01-01"
    ),
    "four-weeks": lambda harness: build_answered(harness, 60, "/dashboard?period=4w"),
    "runs-behind": lambda harness: build_answered(
        harness, 60, "/dashboard?group=company.second"
    ),
    "questions": lambda harness: build_all_answered(harness, "/questions"),
    "question-by-groups": lambda harness: build_all_answered(
        harness, "/questions/clear_head"
    ),
    "question-by-shares": lambda harness: build_all_answered(
        harness, "/questions/runners_high"
    ),
    "question-over-time": lambda harness: build_all_answered(
        harness, "/questions/stress_load"
    ),
    "question-unasked": _visit_signed_in("/questions/sleep"),
    "claims-all": build_claims,
    "run-to-answer": _build_run_page,
    "run-answered": lambda harness: _build_run_page(harness, mood=1),
    "run-remove": lambda harness: _build_run_page(harness, "/remove", mood=1),
    "run-twice-recorded": _build_duplicates,
    "notes": _build_notes,
    "notes-none": _visit_signed_in("/notes"),
    "settings": _visit_signed_in("/settings"),
    "run-kept": lambda harness: _build_retained(harness, is_gone=False),
    "run-offered": lambda harness: _build_run_page(harness, mood=1),
    "survey-offered": _use_standin("survey-saved"),
    "run-own": lambda harness: _build_retained(harness, is_gone=True),
    "export": _visit_signed_in("/settings/export"),
    "export-packing": lambda harness: build_packing_export(
        harness, _link_synced_runner(harness)
    ),
    "export-ready": lambda harness: build_packed_export(
        harness, _link_synced_runner(harness)
    ),
    "export-over": lambda harness: build_packed_export(
        harness, _link_synced_runner(harness), days_ago=7
    ),
    "export-failed": lambda harness: build_failed_export(
        harness, _link_synced_runner(harness)
    ),
    "disconnect": _visit_signed_in("/settings/disconnect"),
    "take-back-mood": _visit_signed_in("/settings/consents/mood"),
    "take-back-mail": _visit_signed_in("/settings/consents/mail"),
    "take-back-private": _build_private_consent,
    "give-private": _visit_signed_in("/settings/consents/private"),
    "settings-private": lambda harness: _build_private_consent(harness, "/settings"),
    "delete": _visit_signed_in("/settings/delete"),
    "keep": _visit("/undo/some-token"),
    "stay": _visit("/stay/some-token"),
    "sign-ins": _build_sign_ins,
    "sign-in-again": _visit_signed_in("/login/again"),
    "sign-in-again-any": _visit_signed_in("/login/again?any=1"),
    "switched": _visit_signed_in("/login/switched"),
    "address-sent": _visit_signed_in("/email/sent"),
    "confirm": _build_confirmation,
    "undo-address": _visit("/address/undo/some-token"),
    "agree-again": _build_outdated_consent,
    "agree-again-private": lambda harness: _build_outdated_consent(
        harness, sees_private=True
    ),
    "agree-again-settings": lambda harness: replace(
        _build_outdated_consent(harness), path="/settings"
    ),
    "states": _visit("/states"),
    "mailbox": _visit("/mailbox"),
    "letter": lambda harness: add_mailbox_email(harness.runtime),
    "before": _build_pre_run,
    "before-saved": lambda harness: _build_pre_run(harness, "?saved=4"),
    "wellbeing-off": _visit_signed_in("/wellbeing"),
    "wellbeing": _build_wellbeing,
    "wellbeing-saved": lambda harness: _build_wellbeing(harness, 4),
    "wellbeing-for-years": _build_long_wellbeing,
    "wellbeing-low": lambda harness: _build_wellbeing(harness, 1),
    "stop": _open_mail_link(),
    "stop-check-ins": _open_mail_link("?only=checkins"),
    "stop-digest": _open_mail_link("?only=digest"),
    "settings-from-mail": _open_mail_link("/settings?ask=weekly"),
    "offline": _visit("/offline"),
    **{name: _visit(f"/states/{name}") for name in FAILURES},
    **{name: _use_standin(name) for name in FIXTURES},
}
# Here the host keeps what is Strava's for a week, so the own log is offered.
STRICT = {"run-offered", "survey-offered"}
