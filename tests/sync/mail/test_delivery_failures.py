"""Mail servers misbehave in every way; no mail is lost and none goes out twice."""

from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from sync import counters
from sync.backoff import MAX_ATTEMPTS
from sync.mail import outbox
from sync.mail.deliver import deliver_due
from sync.models import Mail
from sync.vocabulary import SuppressionReason
from tests.support.lying_servers import Talk, converse, hang_up, run_server, say
from tests.support.smtp_servers import (
    OK,
    FakeSmtpServer,
    ReplyBlocker,
    build_server_tls,
    run_smtp_server,
)
from tests.sync.mail.conftest import NOON, OutboxHarness

MINUTE = timedelta(minutes=1)


def get_state(mail: Mail) -> tuple[object, ...]:
    return mail.due_at, mail.withheld_for, mail.sent_at


@pytest.mark.parametrize("reply", ["450 4.2.0 greylisted", "451 try later", "421 busy"])
def test_a_temporary_no_is_tried_again_and_then_works(
    outbox_harness: OutboxHarness, post: FakeSmtpServer, reply: str
) -> None:
    post.get_recipient_reply = lambda _address: reply
    outbox_harness.enqueue()

    assert deliver_due(outbox_harness.runtime) == 0
    assert get_state(outbox_harness.get_mail()) == (NOON + MINUTE, None, None)

    post.get_recipient_reply = lambda _address: OK
    outbox_harness.clock.advance(minutes=1)
    assert deliver_due(outbox_harness.runtime) == 1


def test_a_temporary_no_is_tried_less_and_less_often_until_stale(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    post.get_recipient_reply = lambda _address: "450 later"
    outbox_harness.enqueue(stale_at=NOON + 20 * MINUTE)
    tries = []

    while (due_at := outbox_harness.get_mail().due_at) is not None:
        outbox_harness.clock.at = due_at
        tries.append(round((due_at - NOON) / MINUTE))
        deliver_due(outbox_harness.runtime)

    assert tries == [0, 1, 3, 7, 15, 20]
    assert outbox_harness.get_mail().withheld_for == "stale"


def test_an_unknown_recipient_bounces_and_the_runner_is_told(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    post.get_recipient_reply = lambda _address: "550 5.1.1 no such user"
    outbox_harness.enqueue()

    deliver_due(outbox_harness.runtime)

    assert get_state(outbox_harness.get_mail()) == (None, "bounced", None)
    assert outbox_harness.get_mail().sealed is None
    assert outbox_harness.get_runner().email_bounced_at == NOON


def test_after_a_bounce_only_what_was_asked_for_goes_out(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.update_runner(email_bounced_at=NOON)
    outbox_harness.enqueue("survey:1")
    outbox_harness.enqueue("sign in:1", kind="sign_in_link", values={"token": "t"})

    assert deliver_due(outbox_harness.runtime) == 1

    assert outbox_harness.get_mail("survey:1").withheld_for == "bounced before"


def test_a_mistyped_new_address_does_not_stop_the_confirmed_one(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    post.get_recipient_reply = lambda address: "550 who?" if "typo" in address else OK
    outbox_harness.enqueue(
        kind="confirm_address",
        values={"token": "t", "member_since": NOON},
        to="typo@example.org",
    )

    deliver_due(outbox_harness.runtime)

    assert outbox_harness.get_mail().withheld_for == "bounced"
    assert outbox_harness.get_runner().email_bounced_at is None


def test_a_mistyped_first_address_is_told(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    post.get_recipient_reply = lambda _address: "550 who?"
    outbox_harness.update_runner(email=None, email_confirmed_at=None)
    outbox_harness.enqueue(
        kind="confirm_address",
        values={"token": "t", "member_since": NOON},
        to="typo@example.org",
    )

    deliver_due(outbox_harness.runtime)

    assert outbox_harness.get_runner().email_bounced_at == NOON


def test_one_bounce_does_not_stop_the_batch(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    post.get_recipient_reply = lambda address: "550 who?" if "typo" in address else OK
    outbox_harness.enqueue("a", kind="deleted", values={}, to="typo@example.org")
    outbox_harness.enqueue("b")

    assert deliver_due(outbox_harness.runtime) == 1

    assert post.connections == 1


def test_a_mail_refused_for_what_it_says_ends_but_not_the_address(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    post.content_reply = "554 5.7.1 looks like spam"
    outbox_harness.enqueue()

    deliver_due(outbox_harness.runtime)

    assert outbox_harness.get_mail().withheld_for == "refused"
    assert outbox_harness.get_runner().email_bounced_at is None


def test_a_refused_sender_is_for_the_host_to_mend(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    post.sender_reply = "550 5.7.1 not your domain"
    outbox_harness.enqueue()

    deliver_due(outbox_harness.runtime)

    assert get_state(outbox_harness.get_mail()) == (NOON + MINUTE, None, None)


def test_a_line_dropped_after_the_data_is_tried_again_under_the_same_id(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    post.drops_after_data = True
    outbox_harness.enqueue()
    deliver_due(outbox_harness.runtime)

    post.drops_after_data = False
    outbox_harness.clock.advance(minutes=1)
    deliver_due(outbox_harness.runtime)

    first, second = (letter["Message-ID"] for letter in post.emails)
    assert first == second == outbox_harness.get_mail().message_id


def test_a_server_that_is_away_stops_the_batch_and_keeps_the_mails(
    outbox_harness: OutboxHarness,
) -> None:
    with run_smtp_server() as away:
        outbox_harness.use_smtp_server(away.url)
    outbox_harness.enqueue("a")
    outbox_harness.enqueue("b")

    assert deliver_due(outbox_harness.runtime) == 0

    assert get_state(outbox_harness.get_mail("a")) == (NOON + MINUTE, None, None)
    assert get_state(outbox_harness.get_mail("b")) == (NOON, None, None)


def test_a_server_that_says_nothing_is_given_up_on(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    hush = ReplyBlocker()
    post.before_reply = hush.wait
    outbox_harness.enqueue()

    sent = deliver_due(outbox_harness.runtime, timeout_s=0.2)
    hush.release()

    assert sent == 0
    assert get_state(outbox_harness.get_mail()) == (NOON + MINUTE, None, None)


def test_a_broken_tls_is_trouble_of_the_line(
    outbox_harness: OutboxHarness, tmp_path: Path
) -> None:
    """A server that speaks plain SMTP where TLS was promised."""
    with run_smtp_server() as plain:
        outbox_harness.use_smtp_server(plain.url.replace("smtp://", "smtps://"))
        outbox_harness.enqueue()

        assert deliver_due(outbox_harness.runtime, timeout_s=1) == 0

    assert get_state(outbox_harness.get_mail()) == (NOON + MINUTE, None, None)


def test_a_wrong_password_waits_for_the_host(
    outbox_harness: OutboxHarness, tmp_path: Path
) -> None:
    vault = FakeSmtpServer()
    with run_smtp_server(
        vault,
        tls_context=build_server_tls(tmp_path),
        authenticator=vault.authenticate,
        auth_required=True,
    ) as vault:
        outbox_harness.use_smtp_server(vault.url.replace("//", "//runs:wrong@"))
        outbox_harness.enqueue()

        assert deliver_due(outbox_harness.runtime) == 0

    assert set(vault.users) == {b"runs"}
    assert get_state(outbox_harness.get_mail()) == (NOON + MINUTE, None, None)
    assert outbox_harness.get_runner().email_bounced_at is None


@pytest.mark.parametrize(
    "talk",
    [
        say("HTTP/1.1 400 Bad Request\r\n\r\n"),
        say("\x00" * 10_000),
        hang_up,
        converse("220 hello", ("EHLO", "250-m\r\n250 AUTH PLAIN"), ("AUTH", "334 !")),
        converse("220 hello", ("EHLO", "250-m\r\n250 AUTH XOAUTH2")),
        converse("220 hello", ("EHLO", "what?"), ("HELO", "what?")),
    ],
    ids=["web server", "noise", "hung up", "bad challenge", "XOAUTH2", "odd"],
)
def test_nothing_that_a_server_says_at_first_costs_a_mail(
    outbox_harness: OutboxHarness, talk: Talk
) -> None:
    """However often: it says nothing about the mail, which stays due until stale."""
    with run_server(talk) as port:
        outbox_harness.use_smtp_server(f"smtp://läufer:Grüße@127.0.0.1:{port}")
        outbox_harness.enqueue()
        for _ in range(MAX_ATTEMPTS + 1):
            assert deliver_due(outbox_harness.runtime, timeout_s=1) == 0
            mail = outbox_harness.get_mail()
            assert (mail.withheld_for, mail.sent_at) == (None, None)
            assert mail.due_at is not None
            outbox_harness.clock.at = mail.due_at

    assert outbox_harness.get_runner().email_bounced_at is None


@pytest.mark.parametrize(
    ("stage", "reply", "state", "fault"),
    [
        ("sender", "552 5.3.4 message too big", "refused", "too large"),
        ("sender", "530 5.7.0 sign in first", None, "sign-in required"),
        ("recipient", "530 5.7.0 sign in first", None, "sign-in required"),
        ("recipient", "452 4.2.2 mailbox full", None, "mailbox full"),
        ("recipient", "552 5.2.2 mailbox full", "bounced", "mailbox full"),
        ("recipient", "550 5.4.5 daily quota exceeded", None, "sending quota used up"),
        ("recipient", "550 5.1.1 no such user", "bounced", "recipient unknown"),
        ("recipient", "450 4.2.0 greylisted", None, "busy"),
        ("content", "552 too much", "refused", "too large"),
        ("content", "554 5.7.1 spam", "refused", "content refused"),
    ],
)
def test_what_kept_a_mail_is_counted_by_its_name(
    outbox_harness: OutboxHarness,
    post: FakeSmtpServer,
    *,
    stage: str,
    reply: str,
    state: str | None,
    fault: str,
) -> None:
    post.sender_reply = reply if stage == "sender" else OK
    post.get_recipient_reply = lambda _address: reply if stage == "recipient" else OK
    post.content_reply = reply if stage == "content" else OK
    outbox_harness.enqueue()

    deliver_due(outbox_harness.runtime)

    mail = outbox_harness.get_mail()
    assert mail.withheld_for == state
    assert (mail.due_at is None) == (state is not None)
    with outbox_harness.runtime.db.read_only() as session:
        assert counters.load_counts(session) == {f"mail: {fault}": 1}


def test_a_mail_cancelled_while_the_server_refused_it_stays_cancelled(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.enqueue(survey_id=outbox_harness.survey_id)

    def refuse(_address: str) -> str:
        with outbox_harness.runtime.db.transaction() as session:
            outbox.cancel_survey_mails(
                session,
                outbox_harness.runner_id,
                outbox_harness.survey_id,
                SuppressionReason.ANSWERED,
            )
        return "450 later"

    post.get_recipient_reply = refuse

    deliver_due(outbox_harness.runtime)

    assert get_state(outbox_harness.get_mail()) == (None, "answered", None)


def test_a_mail_cancelled_while_the_server_took_it_counts_as_sent(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.enqueue(survey_id=outbox_harness.survey_id)

    def cancel() -> None:
        with outbox_harness.runtime.db.transaction() as session:
            outbox.cancel_survey_mails(
                session,
                outbox_harness.runner_id,
                outbox_harness.survey_id,
                SuppressionReason.ANSWERED,
            )

    post.before_reply = cancel

    assert deliver_due(outbox_harness.runtime) == 1

    assert get_state(outbox_harness.get_mail()) == (None, None, NOON)


def test_no_transaction_is_open_while_the_server_thinks(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    hush = ReplyBlocker()
    post.before_reply = hush.wait
    outbox_harness.enqueue("a")
    worker = Thread(target=deliver_due, args=(outbox_harness.runtime,))
    worker.start()

    outbox_harness.enqueue("b", due_at=NOON + 5 * MINUTE)
    hush.release()
    worker.join()

    assert outbox_harness.get_mail("a").sent_at == NOON
    assert outbox_harness.get_mail("b").sent_at is None
