"""A mail is promised once, in secret, and can be taken back."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.mail import outbox
from sync.mail.messages import UnknownMail
from sync.models import Mail
from sync.queue import Work
from tests.sync.mail.conftest import NOON, Office


class Regret(Exception):
    pass


def test_a_promise_wakes_the_workers_after_the_commit(office: Office) -> None:
    assert office.promise()

    assert office.queue.woken_up == [Work.OUTBOX]


def test_a_promise_for_later_wakes_nobody(office: Office) -> None:
    office.promise(due_at=NOON + timedelta(hours=1))

    assert office.queue.woken_up == []
    assert office.mail().due_at == NOON + timedelta(hours=1)


def test_a_key_is_promised_only_once(office: Office) -> None:
    office.promise()
    first = office.mail()

    assert not office.promise(kind="reconnect", values={})

    assert office.mail().message_id == first.message_id
    with office.runtime.db.reading() as session:
        assert session.scalar(select(func.count(Mail.id))) == 1


def test_a_promise_that_is_rolled_back_never_was(office: Office) -> None:
    runtime = office.runtime

    def promise_and_regret(session: Session) -> None:
        outbox.promise(
            session,
            sealer=runtime.sealer,
            now=NOON,
            dedupe_key="reconnect:1",
            kind="reconnect",
            runner_id=office.runner_id,
            values={},
            stale_at=NOON + timedelta(days=1),
        )
        raise Regret

    with pytest.raises(Regret), runtime.db.transaction() as session:
        promise_and_regret(session)

    assert office.queue.woken_up == []


def test_what_the_mail_says_is_sealed(office: Office) -> None:
    office.promise(to="new@example.org")

    sealed = office.mail().sealed or b""

    assert b"survey-token" not in sealed
    assert b"new@example.org" not in sealed
    assert "new@example.org" in office.runtime.sealer.open(sealed)


def test_a_mail_that_could_never_be_written_is_not_promised(office: Office) -> None:
    with pytest.raises(UnknownMail):
        office.promise(values={"token": "t"})


def test_a_value_that_no_mail_can_carry_is_refused(office: Office) -> None:
    with pytest.raises(TypeError, match="a mail cannot carry a object"):
        office.promise(kind="sign_in_link", values={"token": object()})


def test_cancelling_a_survey_takes_back_all_its_mails(office: Office) -> None:
    survey_id = office.survey_id
    office.promise("survey:1", survey_id=survey_id)
    office.promise("reminder:1", kind="survey_reminder", survey_id=survey_id)
    office.promise("reconnect:1", kind="reconnect", values={})

    with office.runtime.db.transaction() as session:
        outbox.cancel(session, survey_id, "answered")

    for key in ("survey:1", "reminder:1"):
        mail = office.mail(key)
        assert (mail.due_at, mail.withheld_for, mail.sealed) == (None, "answered", None)
    assert office.mail("reconnect:1").withheld_for is None
