"""What may be kept, and until when: runs go, answers stay."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select, update

from sync.inbox import purge as inbox_purge
from sync.models import (
    Answer,
    Event,
    LinkAttempt,
    Run,
    SignIn,
)
from sync.runners import purge as runners_purge
from sync.runners import sign_in
from sync.runs import reconcile, retention
from sync.runtime import Runtime
from sync.settings import Settings
from sync.surveys.answering import answer
from tests.support.harness import Stage
from tests.sync.inbox.test_handle import athlete_of, runs_of
from tests.sync.runners.test_disconnect import DAY_MIN, linked, rows, the_runner

__all__ = ["linked"]


def answer_newest(stage: Stage) -> None:
    run = stage.run(athlete_of(stage), ended_minutes_ago=30)
    stage.tell(athlete_of(stage), run.id, "create")
    stage.work()
    answer.record_for_run(
        stage.runtime,
        runner_id=the_runner(stage),
        run_id=runs_of(stage)[-1].id,
        values={"mood": 1},
    )


def keeping(runtime: Runtime, days: int) -> Runtime:
    values = {**dict(runtime.settings), "strava_retention_days": days}
    return replace(runtime, settings=Settings.model_construct(**values))


def test_without_a_limit_every_run_is_kept(linked: Stage) -> None:
    linked.pass_time(days=900)

    retention.tidy(linked.runtime)

    assert rows(linked, Run) == 10


def test_old_runs_go_and_answers_stay(linked: Stage) -> None:
    answer_newest(linked)
    strict = keeping(linked.runtime, 7)

    retention.tidy(strict)
    recent = rows(linked, Run)
    linked.pass_time(days=8)
    retention.tidy(strict)

    assert recent == 5
    assert rows(linked, Run) == 0
    assert rows(linked, Answer) == 1


def test_what_may_not_be_kept_is_not_even_imported(stage: Stage) -> None:
    strict = replace(stage, runtime=keeping(stage.runtime, 7))
    athlete = stage.athlete()
    for days_ago in range(1, 21):
        strict.run(athlete, ended_minutes_ago=days_ago * DAY_MIN)

    strict.link(athlete)
    strict.work()
    strict.pass_time(days=1, minutes=1)
    retention.tidy(strict.runtime)
    reconcile.drain(strict.runtime)

    assert {run.local_day for run in runs_of(strict)} == {
        (strict.clock() - timedelta(days=days)).date() for days in range(2, 7)
    }


def test_what_may_not_be_kept_is_not_taken_from_an_event_either(linked: Stage) -> None:
    strict = replace(linked, runtime=keeping(linked.runtime, 7))
    old = strict.run(athlete_of(strict), ended_minutes_ago=8 * DAY_MIN)
    young = strict.run(athlete_of(strict), ended_minutes_ago=6 * DAY_MIN)
    for run in (old, young):
        strict.tell(athlete_of(strict), run.id, "create")

    strict.work()

    kept = {run.source_id for run in runs_of(strict)}
    assert kept & {old.id, young.id} == {young.id}


def test_a_run_that_stayed_hidden_is_purged(linked: Stage) -> None:
    with linked.runtime.db.transaction() as session:
        session.execute(update(Run).values(hidden_at=linked.clock()))

    linked.pass_time(hours=39)
    retention.tidy(linked.runtime)
    early = rows(linked, Run)
    linked.pass_time(hours=2)
    retention.tidy(linked.runtime)

    assert (early, rows(linked, Run)) == (10, 0)


def test_settled_events_go_after_a_month_and_due_ones_stay(linked: Stage) -> None:
    for aspect in ("create", "delete"):
        linked.tell(athlete_of(linked), 5, aspect)
    with linked.runtime.db.transaction() as session:
        session.execute(
            update(Event).where(Event.aspect == "create").values(due_at=None)
        )

    linked.pass_time(days=31)
    inbox_purge.tidy(linked.runtime)

    with linked.runtime.db.reading() as session:
        assert session.scalars(select(Event.aspect)).all() == ["delete"]


def test_an_event_that_came_in_as_its_runner_left_goes(linked: Stage) -> None:
    linked.tell(athlete_of(linked), 5, "create")
    with linked.runtime.db.transaction() as session:
        session.execute(update(Event).values(athlete_id=4711))

    inbox_purge.tidy(linked.runtime)

    assert rows(linked, Event) == 0


def test_under_a_limit_settled_events_go_with_the_runs(linked: Stage) -> None:
    linked.tell(athlete_of(linked), 5, "create")
    with linked.runtime.db.transaction() as session:
        session.execute(update(Event).values(due_at=None))
    strict = keeping(linked.runtime, 7)

    linked.pass_time(days=6)
    inbox_purge.tidy(strict)
    early = rows(linked, Event)
    linked.pass_time(days=2)
    inbox_purge.tidy(strict)

    assert (early, rows(linked, Event)) == (1, 0)


def test_used_and_expired_links_and_sign_ins_go(linked: Stage) -> None:
    sign_in.sign_in(linked.runtime, the_runner(linked))

    runners_purge.tidy(linked.runtime)
    early = rows(linked, LinkAttempt), rows(linked, SignIn)
    linked.pass_time(days=31)
    runners_purge.tidy(linked.runtime)

    assert early == (1, 1)
    assert (rows(linked, LinkAttempt), rows(linked, SignIn)) == (0, 0)
