"""Mail servers misbehave in every way; no mail is lost and none goes out twice."""

from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from sync.mail import outbox
from sync.mail.deliver import deliver_due
from sync.models import Mail
from tests.support.smtp_servers import OK, Hush, Post, listening, server_tls
from tests.sync.mail.conftest import NOON, Office

MINUTE = timedelta(minutes=1)


def state(mail: Mail) -> tuple[object, ...]:
    return mail.due_at, mail.withheld_for, mail.sent_at


@pytest.mark.parametrize("reply", ["450 4.2.0 greylisted", "451 try later", "421 busy"])
def test_a_temporary_no_is_tried_again_and_then_works(
    office: Office, post: Post, reply: str
) -> None:
    post.on_recipient = lambda _address: reply
    office.promise()

    assert deliver_due(office.runtime) == 0
    assert state(office.mail()) == (NOON + MINUTE, None, None)

    post.on_recipient = lambda _address: OK
    office.clock.forward(minutes=1)
    assert deliver_due(office.runtime) == 1


def test_a_temporary_no_is_tried_less_and_less_often_until_stale(
    office: Office, post: Post
) -> None:
    post.on_recipient = lambda _address: "450 later"
    office.promise(stale_at=NOON + 20 * MINUTE)
    tries = []

    while (due_at := office.mail().due_at) is not None:
        office.clock.at = due_at
        tries.append(round((due_at - NOON) / MINUTE))
        deliver_due(office.runtime)

    assert tries == [0, 1, 3, 8, 18, 20]
    assert office.mail().withheld_for == "stale"


def test_an_unknown_recipient_bounces_and_the_runner_is_told(
    office: Office, post: Post
) -> None:
    post.on_recipient = lambda _address: "550 5.1.1 no such user"
    office.promise()

    deliver_due(office.runtime)

    assert state(office.mail()) == (None, "bounced", None)
    assert office.mail().sealed is None
    assert office.runner().email_bounced_at == NOON


def test_after_a_bounce_only_what_was_asked_for_goes_out(
    office: Office, post: Post
) -> None:
    office.change(email_bounced_at=NOON)
    office.promise("survey:1")
    office.promise("sign in:1", kind="sign_in_link", values={"token": "t"})

    assert deliver_due(office.runtime) == 1

    assert office.mail("survey:1").withheld_for == "bounced before"


def test_a_mistyped_new_address_does_not_stop_the_confirmed_one(
    office: Office, post: Post
) -> None:
    post.on_recipient = lambda address: "550 who?" if "typo" in address else OK
    office.promise(kind="confirm_address", values={"token": "t"}, to="typo@example.org")

    deliver_due(office.runtime)

    assert office.mail().withheld_for == "bounced"
    assert office.runner().email_bounced_at is None


def test_a_mistyped_first_address_is_told(office: Office, post: Post) -> None:
    post.on_recipient = lambda _address: "550 who?"
    office.change(email=None, email_confirmed_at=None)
    office.promise(kind="confirm_address", values={"token": "t"}, to="typo@example.org")

    deliver_due(office.runtime)

    assert office.runner().email_bounced_at == NOON


def test_one_bounce_does_not_stop_the_batch(office: Office, post: Post) -> None:
    post.on_recipient = lambda address: "550 who?" if "typo" in address else OK
    office.promise("a", kind="deleted", values={}, to="typo@example.org")
    office.promise("b")

    assert deliver_due(office.runtime) == 1

    assert post.connections == 1


def test_a_mail_refused_for_what_it_says_ends_but_not_the_address(
    office: Office, post: Post
) -> None:
    post.on_content = "554 5.7.1 looks like spam"
    office.promise()

    deliver_due(office.runtime)

    assert office.mail().withheld_for == "refused"
    assert office.runner().email_bounced_at is None


def test_a_refused_sender_is_for_the_host_to_mend(office: Office, post: Post) -> None:
    post.on_sender = "550 5.7.1 not your domain"
    office.promise()

    deliver_due(office.runtime)

    assert state(office.mail()) == (NOON + MINUTE, None, None)


def test_a_line_dropped_after_the_data_is_tried_again_under_the_same_id(
    office: Office, post: Post
) -> None:
    post.drops_after_data = True
    office.promise()
    deliver_due(office.runtime)

    post.drops_after_data = False
    office.clock.forward(minutes=1)
    deliver_due(office.runtime)

    first, second = (letter["Message-ID"] for letter in post.letters)
    assert first == second == office.mail().message_id


def test_a_server_that_is_away_stops_the_batch_and_keeps_the_mails(
    office: Office,
) -> None:
    with listening() as away:
        office.use(away.url)
    office.promise("a")
    office.promise("b")

    assert deliver_due(office.runtime) == 0

    assert state(office.mail("a")) == (NOON + MINUTE, None, None)
    assert state(office.mail("b")) == (NOON, None, None)


def test_a_server_that_says_nothing_is_given_up_on(office: Office, post: Post) -> None:
    hush = Hush()
    post.before_reply = hush.wait
    office.promise()

    sent = deliver_due(office.runtime, timeout_s=0.2)
    hush.let_go()

    assert sent == 0
    assert state(office.mail()) == (NOON + MINUTE, None, None)


def test_a_broken_tls_is_trouble_of_the_line(office: Office, tmp_path: Path) -> None:
    """A server that speaks plain SMTP where TLS was promised."""
    with listening() as plain:
        office.use(plain.url.replace("smtp://", "smtps://"))
        office.promise()

        assert deliver_due(office.runtime, timeout_s=1) == 0

    assert state(office.mail()) == (NOON + MINUTE, None, None)


def test_a_wrong_password_waits_for_the_host(office: Office, tmp_path: Path) -> None:
    vault = Post()
    with listening(
        vault,
        tls_context=server_tls(tmp_path),
        authenticator=vault.authenticate,
        auth_required=True,
    ) as vault:
        office.use(vault.url.replace("//", "//runs:wrong@"))
        office.promise()

        assert deliver_due(office.runtime) == 0

    assert set(vault.users) == {b"runs"}
    assert state(office.mail()) == (NOON + MINUTE, None, None)
    assert office.runner().email_bounced_at is None


def test_a_mail_cancelled_while_the_server_refused_it_stays_cancelled(
    office: Office, post: Post
) -> None:
    office.promise(survey_id=office.survey_id)

    def refuse(_address: str) -> str:
        with office.runtime.db.transaction() as session:
            outbox.cancel(session, office.survey_id, "answered")
        return "450 later"

    post.on_recipient = refuse

    deliver_due(office.runtime)

    assert state(office.mail()) == (None, "answered", None)


def test_a_mail_cancelled_while_the_server_took_it_counts_as_sent(
    office: Office, post: Post
) -> None:
    office.promise(survey_id=office.survey_id)

    def cancel() -> None:
        with office.runtime.db.transaction() as session:
            outbox.cancel(session, office.survey_id, "answered")

    post.before_reply = cancel

    assert deliver_due(office.runtime) == 1

    assert state(office.mail()) == (None, None, NOON)


def test_no_transaction_is_open_while_the_server_thinks(
    office: Office, post: Post
) -> None:
    hush = Hush()
    post.before_reply = hush.wait
    office.promise("a")
    worker = Thread(target=deliver_due, args=(office.runtime,))
    worker.start()

    office.promise("b", due_at=NOON + 5 * MINUTE)
    hush.let_go()
    worker.join()

    assert office.mail("a").sent_at == NOON
    assert office.mail("b").sent_at is None
