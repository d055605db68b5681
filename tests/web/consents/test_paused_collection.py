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
from tests.support.harness import Stage
from tests.support.outbox_reader import token_in
from tests.sync.runners.test_disconnect import rows
from tests.web.conftest import Browser
from tests.web.consents.test_consent_renewal import ALL, outdated

__all__ = ["outdated"]


def test_until_then_nothing_is_fetched_stored_asked_or_drawn(
    outdated: int, stage: Stage
) -> None:
    athlete = stage.world.athletes.get(7)
    assert athlete
    before, reads = _held(stage), stage.reads()
    run = stage.run(athlete, ended_minutes_ago=20)
    stage.tell(athlete, run.id, "create")
    with stage.runtime.db.transaction() as session:
        session.execute(update(Backfill).values(due_at=stage.clock()))
    stage.pass_time(days=2)

    stage.work()
    for drain in (reconcile.drain, backfill.drain, checkins.drain):
        drain(stage.runtime)

    assert _held(stage) == before
    assert stage.reads() == reads


def _held(stage: Stage) -> tuple[int, int, int]:
    return rows(stage, Run), rows(stage, Survey), rows(stage, Mail)


def test_until_then_no_answer_is_stored(
    browser: Browser, outdated: int, runtime: Runtime
) -> None:
    refused = browser.client.post(f"/s/{token_in(runtime)}", data={"mood": 4})

    assert refused.status_code == 403
    assert "has a new text" in refused.text
    assert 'href="/settings/consents"' in refused.text
    with pytest.raises(ConsentOutdated):
        answer.record(runtime, token=token_in(runtime), values={"mood": 1})


def test_what_was_missed_is_found_after_agreeing(
    browser: Browser, outdated: int, stage: Stage
) -> None:
    athlete = stage.world.athletes.get(7)
    assert athlete
    run = stage.run(athlete, ended_minutes_ago=20)
    stage.tell(athlete, run.id, "create")
    stage.pass_time(days=20)
    stage.work()
    early = rows(stage, Run)

    browser.post("/settings/consents", **ALL)
    reconcile.drain(stage.runtime)

    assert (early, rows(stage, Run)) == (2, 3)


def test_a_deleted_run_goes_whatever_was_agreed_to(outdated: int, stage: Stage) -> None:
    run = next(stage.world.activities())
    athlete = stage.world.athletes.get(7)
    assert athlete
    with stage.world.change():
        activities.delete(stage.world, run)
    stage.tell(athlete, run.id, "delete")

    stage.work()

    assert rows(stage, Run) == 1


def test_runners_are_told_once_by_mail(
    outdated: int, stage: Stage, runtime: Runtime
) -> None:
    for _ in range(2):
        runners_purge.tidy(runtime)
        stage.pass_time(hours=1)

    with runtime.db.reading() as session:
        told = select(Mail.kind).where(Mail.kind == "agree_again")
        assert session.scalars(told).all() == ["agree_again"]


def test_mails_wait_until_then(outdated: int, stage: Stage, runtime: Runtime) -> None:
    stage.pass_time(minutes=30)
    due_before = stage.clock()
    deliver.deliver_due(runtime)

    with runtime.db.reading() as session:
        mail = session.scalars(select(Mail).where(Mail.kind == "survey")).one()
    assert mail.sent_at is None
    assert mail.due_at is not None
    assert mail.due_at - due_before == timedelta(minutes=10)
