"""Until a new text is agreed to nothing is collected; then what was missed is found."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from sync.errors import ConsentOutdated
from sync.mail import deliver
from sync.models import Backfill, Mail, Run, Survey
from sync.runners import purge as runners_purge
from sync.runs import backfill, reconcile
from sync.runtime import Runtime
from sync.simulator import activities
from sync.surveys.answering import answer
from sync.surveys.sending import checkins
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.sync.runners.test_disconnect import count_rows
from tests.web.conftest import PageClient
from tests.web.consents.test_consent_renewal import ALL, runner_with_old_consent

__all__ = ["runner_with_old_consent"]


def test_until_then_nothing_is_fetched_stored_asked_or_drawn(
    runner_with_old_consent: int, harness: Harness
) -> None:
    athlete = harness.world.athletes.get(7)
    assert athlete
    before, reads = _list_waiting(harness), harness.count_strava_reads()
    run = harness.finish_run(athlete, ended_minutes_ago=20)
    harness.deliver_event(athlete, run.id, "create")
    with harness.runtime.db.transaction() as session:
        session.execute(update(Backfill).values(due_at=harness.clock()))
    harness.advance_clock(days=2)

    harness.process_all_due()
    for drain in (reconcile.process_due, backfill.process_due, checkins.process_due):
        drain(harness.runtime)

    assert _list_waiting(harness) == before
    assert harness.count_strava_reads() == reads


def _list_waiting(harness: Harness) -> tuple[int, int, int]:
    return (
        count_rows(harness, Run),
        count_rows(harness, Survey),
        count_rows(harness, Mail),
    )


def test_until_then_no_answer_is_stored(
    browser: PageClient, runner_with_old_consent: int, runtime: Runtime
) -> None:
    refused = browser.client.post(f"/s/{read_pending_token(runtime)}", data={"mood": 4})

    assert refused.status_code == 403
    assert "has a new text" in refused.text
    assert 'href="/settings/consents"' in refused.text
    with pytest.raises(ConsentOutdated):
        answer.record_answer(
            runtime, token=read_pending_token(runtime), values={"mood": 1}
        )


def test_what_was_missed_is_found_after_agreeing(
    browser: PageClient, runner_with_old_consent: int, harness: Harness
) -> None:
    athlete = harness.world.athletes.get(7)
    assert athlete
    run = harness.finish_run(athlete, ended_minutes_ago=20)
    harness.deliver_event(athlete, run.id, "create")
    harness.advance_clock(days=20)
    harness.process_all_due()
    early = count_rows(harness, Run)
    browser.sign_in(runner_with_old_consent)

    browser.post("/settings/consents", **ALL)
    reconcile.process_due(harness.runtime)

    assert (early, count_rows(harness, Run)) == (2, 3)


def test_a_deleted_run_goes_whatever_was_agreed_to(
    runner_with_old_consent: int, harness: Harness
) -> None:
    run = next(harness.world.iter_activities())
    athlete = harness.world.athletes.get(7)
    assert athlete
    with harness.world.transaction():
        activities.delete_activity(harness.world, run)
    harness.deliver_event(athlete, run.id, "delete")

    harness.process_all_due()

    assert count_rows(harness, Run) == 1


def test_runners_are_told_once_by_mail(
    runner_with_old_consent: int, harness: Harness, runtime: Runtime
) -> None:
    for _ in range(2):
        runners_purge.purge_expired(runtime)
        harness.advance_clock(hours=1)

    with runtime.db.read_only() as session:
        told = select(Mail.kind).where(Mail.kind == "agree_again")
        assert session.scalars(told).all() == ["agree_again"]


def test_mails_wait_until_then(
    runner_with_old_consent: int, harness: Harness, runtime: Runtime
) -> None:
    harness.advance_clock(minutes=30)
    due_before = harness.clock()
    deliver.deliver_due(runtime)

    with runtime.db.read_only() as session:
        mail = session.scalars(select(Mail).where(Mail.kind == "survey")).one()
    assert mail.sent_at is None
    assert mail.due_at is not None
    assert mail.due_at - due_before == timedelta(minutes=10)
