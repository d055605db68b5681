"""Mails leave over real SMTP: once, in time, and not when they came too late."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sync import work_status
from sync.errors import NotConfigured
from sync.inbox import dead_letters
from sync.mail import outbox
from sync.mail.deliver import deliver_due
from sync.models import Answer
from sync.vocabulary import MailKind, SealedColumn, SuppressionReason
from tests.support.smtp_servers import FakeSmtpServer, run_smtp_server
from tests.sync.mail.conftest import (
    NOON,
    OutboxHarness,
    build_settings,
    build_survey_values,
)


def record_answer(outbox_harness: OutboxHarness, **columns: Any) -> None:
    with outbox_harness.runtime.db.transaction() as session:
        session.add(
            Answer(
                runner_id=outbox_harness.runner_id,
                kind="run",
                instrument="mood/1",
                reversed_order=False,
                answered_at=NOON,
                sealed=b"",
                **columns,
            )
        )


def test_a_due_mail_reaches_the_runners_confirmed_address(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.enqueue(survey_id=outbox_harness.survey_id)

    assert deliver_due(outbox_harness.runtime) == 1

    (letter,) = post.emails
    assert letter["To"] == "sam@example.org"
    assert letter["Subject"] == "Your run this morning: how do you feel?"
    assert post.recipients == ["sam@example.org"]


def test_a_sent_mail_keeps_no_link_and_marks_its_survey(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.enqueue(survey_id=outbox_harness.survey_id)

    deliver_due(outbox_harness.runtime)

    mail = outbox_harness.get_mail()
    assert (mail.sent_at, mail.due_at, mail.sealed) == (NOON, None, None)
    assert mail.message_id == post.emails[0]["Message-ID"]
    assert outbox_harness.get_survey().sent_at == NOON


def test_a_sent_mail_is_not_sent_again(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.enqueue()
    deliver_due(outbox_harness.runtime)

    assert deliver_due(outbox_harness.runtime) == 0

    assert len(post.raw_mails) == 1


def test_a_mail_can_go_to_an_address_that_is_not_confirmed_yet(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.enqueue(
        kind="confirm_address",
        values={"token": "t", "member_since": NOON},
        to="new@example.org",
    )

    deliver_due(outbox_harness.runtime)

    assert post.recipients == ["new@example.org"]


def test_a_mail_can_outlive_its_runner(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.enqueue(
        kind="deleted", values={}, to="gone@example.org", runner_id=None
    )

    deliver_due(outbox_harness.runtime)

    assert post.recipients == ["gone@example.org"]


def test_an_address_confirmed_meanwhile_is_the_one_used(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.enqueue()
    outbox_harness.update_runner(
        email=outbox_harness.runtime.sealer.seal(
            "moved@example.org", SealedColumn.ADDRESS
        )
    )

    deliver_due(outbox_harness.runtime)

    assert post.recipients == ["moved@example.org"]


def test_a_batch_needs_one_connection(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    for number in range(20):
        outbox_harness.enqueue(f"survey:{number}")

    assert deliver_due(outbox_harness.runtime) == 20

    assert post.connections == 1


def test_nothing_due_means_no_connection(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.enqueue(due_at=NOON + timedelta(minutes=30))

    assert deliver_due(outbox_harness.runtime) == 0

    assert post.connections == 0


def test_a_mail_leaves_when_its_time_has_come(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.enqueue(due_at=NOON + timedelta(minutes=30))
    outbox_harness.clock.advance(minutes=30)

    assert deliver_due(outbox_harness.runtime) == 1


def test_the_mail_that_waited_longest_goes_first(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    later = build_survey_values(run_started_at=None)
    outbox_harness.enqueue("second", values=later, due_at=NOON - timedelta(minutes=1))
    outbox_harness.enqueue("first", due_at=NOON - timedelta(minutes=2))

    deliver_due(outbox_harness.runtime)

    assert [letter["Subject"] for letter in post.emails] == [
        "Your run this morning: how do you feel?",
        "A quick question about your run",
    ]


def test_no_mail_to_a_runner_without_a_confirmed_address(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.update_runner(email_confirmed_at=None)
    outbox_harness.enqueue()

    assert deliver_due(outbox_harness.runtime) == 0

    assert outbox_harness.get_mail().withheld_for == "no address"
    assert post.connections == 0


def test_a_stale_mail_is_withheld_and_forgets_its_links(
    outbox_harness: OutboxHarness,
) -> None:
    outbox_harness.enqueue()
    outbox_harness.clock.advance(hours=20)

    deliver_due(outbox_harness.runtime)

    mail = outbox_harness.get_mail()
    assert (mail.withheld_for, mail.sealed, mail.due_at) == ("stale", None, None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"skipped_at": NOON}, "skipped"),
        ({"cancelled_for": "run gone"}, "cancelled"),
        ({"expires_at": NOON}, "stale"),
    ],
)
def test_a_survey_that_is_over_is_not_mailed(
    outbox_harness: OutboxHarness, change: dict[str, Any], reason: str
) -> None:
    outbox_harness.enqueue(survey_id=outbox_harness.survey_id)
    outbox_harness.update_survey(**change)

    deliver_due(outbox_harness.runtime)

    assert outbox_harness.get_mail().withheld_for == reason
    assert outbox_harness.get_survey().sent_at is None


def test_an_answered_survey_is_not_mailed(outbox_harness: OutboxHarness) -> None:
    outbox_harness.enqueue(survey_id=outbox_harness.survey_id)
    record_answer(outbox_harness, survey_id=outbox_harness.survey_id)

    deliver_due(outbox_harness.runtime)

    assert outbox_harness.get_mail().withheld_for == "answered"


def test_a_cancelled_mail_does_not_leave(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.enqueue(survey_id=outbox_harness.survey_id)
    with outbox_harness.runtime.db.transaction() as session:
        outbox.cancel_survey_mails(
            session,
            outbox_harness.runner_id,
            outbox_harness.survey_id,
            SuppressionReason.PAUSED,
        )

    assert deliver_due(outbox_harness.runtime) == 0

    assert post.raw_mails == []


def test_a_mail_whose_key_is_lost_does_not_stop_the_others(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.enqueue("lost")
    outbox_harness.enqueue("fine", due_at=NOON)
    with outbox_harness.runtime.db.transaction() as session:
        session.merge(outbox_harness.get_mail("lost")).sealed = b"nobody can open this"

    assert deliver_due(outbox_harness.runtime) == 1

    assert outbox_harness.get_mail("lost").withheld_for == "unreadable"


def test_a_mail_that_cannot_be_written_does_not_stop_the_others(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.enqueue("wrong", kind="sign_in_link", values={"token": 7})
    outbox_harness.enqueue("fine")

    assert deliver_due(outbox_harness.runtime) == 1

    wrong = outbox_harness.get_mail("wrong")
    assert (wrong.withheld_for, wrong.due_at) == (None, wrong.stale_at)
    outbox_harness.clock.at = wrong.stale_at
    assert deliver_due(outbox_harness.runtime) == 0
    assert outbox_harness.get_mail("wrong").withheld_for == "stale"
    assert outbox_harness.get_mail("wrong").sealed is None


def test_a_mail_that_was_given_up_is_shown_and_sent_once_it_can_be(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    runtime = outbox_harness.runtime
    outbox_harness.enqueue("wrong", kind="sign_in_link", values={"token": 7})
    outbox_harness.enqueue("fine")
    deliver_due(runtime)
    assert work_status.read_status(runtime).retryable == {"outbox: InvalidMail": 1}
    right = {"to": None, "values": build_survey_values(), "language": ""}
    with runtime.db.transaction() as session:
        mail = session.merge(outbox_harness.get_mail("wrong"))
        mail.kind = MailKind.SURVEY
        mail.sealed = runtime.sealer.seal(
            json.dumps(right, default=str), SealedColumn.MAIL
        )

    revived = dead_letters.retry_failed(runtime)

    assert revived.other_work == 1
    assert deliver_due(runtime) == 1
    assert work_status.read_status(runtime).retryable == {}


def test_without_a_mail_server_the_setting_is_named(
    outbox_harness: OutboxHarness,
) -> None:
    without = outbox_harness.runtime.settings.model_copy(update={"smtp_url": None})
    runtime = replace(outbox_harness.runtime, settings=without)

    with pytest.raises(NotConfigured, match="MOODMILES_SMTP_URL"):
        deliver_due(runtime)


def test_two_workers_share_one_outbox(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    """While one worker waits for the server, another takes only the other mails."""
    outbox_harness.enqueue("first")
    outbox_harness.enqueue("second")
    sent: list[int] = []

    def meanwhile() -> None:
        if not sent:
            sent.append(-1)
            with run_smtp_server() as second_post:
                url = outbox_harness.runtime.settings.database_url
                settings = build_settings(url, smtp_url=second_post.url)
                sent[0] = deliver_due(
                    replace(outbox_harness.runtime, settings=settings)
                )

    post.before_reply = meanwhile

    assert deliver_due(outbox_harness.runtime) == 1
    assert sent == [1]
    assert len(post.raw_mails) == 1
