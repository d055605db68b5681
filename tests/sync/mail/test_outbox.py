"""A mail is promised once, in secret, and can be taken back."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.mail import outbox
from sync.mail.message import InvalidMail
from sync.models import Mail
from sync.queue import Job
from sync.vocabulary import MailKind, SealedColumn, SuppressionReason
from tests.sync.mail.conftest import NOON, OutboxHarness


class RolledBack(Exception):
    pass


def test_a_promise_wakes_the_workers_after_the_commit(
    outbox_harness: OutboxHarness,
) -> None:
    assert outbox_harness.enqueue()

    assert outbox_harness.queue.wakes == [Job.OUTBOX]


def test_a_promise_for_later_wakes_nobody(outbox_harness: OutboxHarness) -> None:
    outbox_harness.enqueue(due_at=NOON + timedelta(hours=1))

    assert outbox_harness.queue.wakes == []
    assert outbox_harness.get_mail().due_at == NOON + timedelta(hours=1)


def test_a_key_is_promised_only_once(outbox_harness: OutboxHarness) -> None:
    outbox_harness.enqueue()
    first = outbox_harness.get_mail()

    assert not outbox_harness.enqueue(kind="reconnect", values={})

    assert outbox_harness.get_mail().message_id == first.message_id
    with outbox_harness.runtime.db.read_only() as session:
        assert session.scalar(select(func.count(Mail.id))) == 1


def test_a_promise_that_is_rolled_back_never_was(outbox_harness: OutboxHarness) -> None:
    runtime = outbox_harness.runtime

    def promise_and_regret(session: Session) -> None:
        outbox.enqueue_mail(
            session,
            sealer=runtime.sealer,
            now=NOON,
            dedupe_key="reconnect:1",
            kind=MailKind.RECONNECT,
            runner_id=outbox_harness.runner_id,
            values={},
            stale_at=NOON + timedelta(days=1),
        )
        raise RolledBack

    with pytest.raises(RolledBack), runtime.db.transaction() as session:
        promise_and_regret(session)

    assert outbox_harness.queue.wakes == []


def test_what_the_mail_says_is_sealed(outbox_harness: OutboxHarness) -> None:
    outbox_harness.enqueue(to="new@example.org")

    sealed = outbox_harness.get_mail().sealed or b""

    assert b"survey-token" not in sealed
    assert b"new@example.org" not in sealed
    assert "new@example.org" in outbox_harness.runtime.sealer.open(
        sealed, SealedColumn.MAIL
    )


def test_a_mail_that_could_never_be_written_is_not_promised(
    outbox_harness: OutboxHarness,
) -> None:
    with pytest.raises(InvalidMail):
        outbox_harness.enqueue(values={"token": "t"})


def test_a_value_that_no_mail_can_carry_is_refused(
    outbox_harness: OutboxHarness,
) -> None:
    with pytest.raises(TypeError, match="a mail cannot carry a object"):
        outbox_harness.enqueue(kind="sign_in_link", values={"token": object()})


def test_cancelling_a_survey_takes_back_all_its_mails(
    outbox_harness: OutboxHarness,
) -> None:
    survey_id = outbox_harness.survey_id
    outbox_harness.enqueue("survey:1", survey_id=survey_id)
    outbox_harness.enqueue("reminder:1", kind="survey_reminder", survey_id=survey_id)
    outbox_harness.enqueue("reconnect:1", kind="reconnect", values={})

    with outbox_harness.runtime.db.transaction() as session:
        outbox.cancel_survey_mails(
            session, outbox_harness.runner_id, survey_id, SuppressionReason.ANSWERED
        )

    for key in ("survey:1", "reminder:1"):
        mail = outbox_harness.get_mail(key)
        assert (mail.due_at, mail.withheld_for, mail.sealed) == (None, "answered", None)
    assert outbox_harness.get_mail("reconnect:1").withheld_for is None
