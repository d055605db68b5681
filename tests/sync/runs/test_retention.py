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
from tests.support.harness import Harness
from tests.sync.inbox.test_handle import get_athlete, list_runs
from tests.sync.runners.test_disconnect import (
    DAY_MIN,
    count_rows,
    get_runner,
    linked_harness,
)

__all__ = ["linked_harness"]


def record_newest_answer(harness: Harness) -> None:
    run = harness.finish_run(get_athlete(harness), ended_minutes_ago=30)
    harness.deliver_event(get_athlete(harness), run.id, "create")
    harness.process_all_due()
    answer.record_run_answer(
        harness.runtime,
        runner_id=get_runner(harness),
        run_id=list_runs(harness)[-1].id,
        values={"mood": 1},
    )


def with_retention(runtime: Runtime, days: int) -> Runtime:
    values = {**dict(runtime.settings), "strava_retention_days": days}
    return replace(runtime, settings=Settings.model_construct(**values))


def test_without_a_limit_every_run_is_kept(linked_harness: Harness) -> None:
    linked_harness.advance_clock(days=900)

    retention.purge_runs(linked_harness.runtime)

    assert count_rows(linked_harness, Run) == 10


def test_old_runs_go_and_answers_stay(linked_harness: Harness) -> None:
    record_newest_answer(linked_harness)
    strict = with_retention(linked_harness.runtime, 7)

    retention.purge_runs(strict)
    recent = count_rows(linked_harness, Run)
    linked_harness.advance_clock(days=8)
    retention.purge_runs(strict)

    assert recent == 5
    assert count_rows(linked_harness, Run) == 0
    assert count_rows(linked_harness, Answer) == 1


def test_what_may_not_be_kept_is_not_even_imported(harness: Harness) -> None:
    strict = replace(harness, runtime=with_retention(harness.runtime, 7))
    athlete = harness.add_athlete()
    for days_ago in range(1, 21):
        strict.finish_run(athlete, ended_minutes_ago=days_ago * DAY_MIN)

    strict.link_runner(athlete)
    strict.process_all_due()
    strict.advance_clock(days=1, minutes=1)
    retention.purge_runs(strict.runtime)
    reconcile.process_due(strict.runtime)

    assert {run.local_day for run in list_runs(strict)} == {
        (strict.clock() - timedelta(days=days)).date() for days in range(2, 7)
    }


def test_what_may_not_be_kept_is_not_taken_from_an_event_either(
    linked_harness: Harness,
) -> None:
    strict = replace(linked_harness, runtime=with_retention(linked_harness.runtime, 7))
    old = strict.finish_run(get_athlete(strict), ended_minutes_ago=8 * DAY_MIN)
    young = strict.finish_run(get_athlete(strict), ended_minutes_ago=6 * DAY_MIN)
    for run in (old, young):
        strict.deliver_event(get_athlete(strict), run.id, "create")

    strict.process_all_due()

    kept = {run.source_id for run in list_runs(strict)}
    assert kept & {old.id, young.id} == {young.id}


def test_a_run_that_stayed_hidden_is_purged(linked_harness: Harness) -> None:
    with linked_harness.runtime.db.transaction() as session:
        session.execute(update(Run).values(hidden_at=linked_harness.clock()))

    linked_harness.advance_clock(hours=39)
    retention.purge_runs(linked_harness.runtime)
    early = count_rows(linked_harness, Run)
    linked_harness.advance_clock(hours=2)
    retention.purge_runs(linked_harness.runtime)

    assert (early, count_rows(linked_harness, Run)) == (10, 0)


def test_settled_events_go_after_a_month_and_due_ones_stay(
    linked_harness: Harness,
) -> None:
    for aspect in ("create", "delete"):
        linked_harness.deliver_event(get_athlete(linked_harness), 5, aspect)
    with linked_harness.runtime.db.transaction() as session:
        session.execute(
            update(Event).where(Event.aspect == "create").values(due_at=None)
        )

    linked_harness.advance_clock(days=31)
    inbox_purge.purge_events(linked_harness.runtime)

    with linked_harness.runtime.db.read_only() as session:
        assert session.scalars(select(Event.aspect)).all() == ["delete"]


def test_an_event_that_came_in_as_its_runner_left_goes(linked_harness: Harness) -> None:
    linked_harness.deliver_event(get_athlete(linked_harness), 5, "create")
    with linked_harness.runtime.db.transaction() as session:
        session.execute(update(Event).values(athlete_id=4711))

    inbox_purge.purge_events(linked_harness.runtime)

    assert count_rows(linked_harness, Event) == 0


def test_under_a_limit_settled_events_go_with_the_runs(linked_harness: Harness) -> None:
    linked_harness.deliver_event(get_athlete(linked_harness), 5, "create")
    with linked_harness.runtime.db.transaction() as session:
        session.execute(update(Event).values(due_at=None))
    strict = with_retention(linked_harness.runtime, 7)

    linked_harness.advance_clock(days=6)
    inbox_purge.purge_events(strict)
    early = count_rows(linked_harness, Event)
    linked_harness.advance_clock(days=2)
    inbox_purge.purge_events(strict)

    assert (early, count_rows(linked_harness, Event)) == (1, 0)


def test_used_and_expired_links_and_sign_ins_go(linked_harness: Harness) -> None:
    sign_in.sign_in(linked_harness.runtime, get_runner(linked_harness))

    runners_purge.purge_expired(linked_harness.runtime)
    early = count_rows(linked_harness, LinkAttempt), count_rows(linked_harness, SignIn)
    linked_harness.advance_clock(days=31)
    runners_purge.purge_expired(linked_harness.runtime)

    assert early == (1, 1)
    assert (
        count_rows(linked_harness, LinkAttempt),
        count_rows(linked_harness, SignIn),
    ) == (0, 0)
