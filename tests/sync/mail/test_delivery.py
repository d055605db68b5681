"""Mails leave over real SMTP: once, in time, and not when they came too late."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sync.errors import NotConfigured
from sync.mail import outbox
from sync.mail.deliver import deliver_due
from sync.models import Answer
from tests.support.smtp_servers import Post, listening
from tests.sync.mail.conftest import NOON, Office, settings_for, survey_values


def answered(office: Office, **columns: Any) -> None:
    with office.runtime.db.transaction() as session:
        session.add(
            Answer(
                runner_id=office.runner_id,
                kind="run",
                instrument="mood/1",
                reversed_order=False,
                answered_at=NOON,
                sealed=b"",
                **columns,
            )
        )


def test_a_due_mail_reaches_the_runners_confirmed_address(
    office: Office, post: Post
) -> None:
    office.promise(survey_id=office.survey_id)

    assert deliver_due(office.runtime) == 1

    (letter,) = post.letters
    assert letter["To"] == "sam@example.org"
    assert letter["Subject"] == "Your run this morning: how do you feel?"
    assert post.recipients == ["sam@example.org"]


def test_a_sent_mail_keeps_no_link_and_marks_its_survey(
    office: Office, post: Post
) -> None:
    office.promise(survey_id=office.survey_id)

    deliver_due(office.runtime)

    mail = office.mail()
    assert (mail.sent_at, mail.due_at, mail.sealed) == (NOON, None, None)
    assert mail.message_id == post.letters[0]["Message-ID"]
    assert office.survey().sent_at == NOON


def test_a_sent_mail_is_not_sent_again(office: Office, post: Post) -> None:
    office.promise()
    deliver_due(office.runtime)

    assert deliver_due(office.runtime) == 0

    assert len(post.taken) == 1


def test_a_mail_can_go_to_an_address_that_is_not_confirmed_yet(
    office: Office, post: Post
) -> None:
    office.promise(kind="confirm_address", values={"token": "t"}, to="new@example.org")

    deliver_due(office.runtime)

    assert post.recipients == ["new@example.org"]


def test_a_mail_can_outlive_its_runner(office: Office, post: Post) -> None:
    office.promise(kind="deleted", values={}, to="gone@example.org", runner_id=None)

    deliver_due(office.runtime)

    assert post.recipients == ["gone@example.org"]


def test_an_address_confirmed_meanwhile_is_the_one_used(
    office: Office, post: Post
) -> None:
    office.promise()
    office.change(email=office.runtime.sealer.seal("moved@example.org"))

    deliver_due(office.runtime)

    assert post.recipients == ["moved@example.org"]


def test_a_batch_needs_one_connection(office: Office, post: Post) -> None:
    for number in range(20):
        office.promise(f"survey:{number}")

    assert deliver_due(office.runtime) == 20

    assert post.connections == 1


def test_nothing_due_means_no_connection(office: Office, post: Post) -> None:
    office.promise(due_at=NOON + timedelta(minutes=30))

    assert deliver_due(office.runtime) == 0

    assert post.connections == 0


def test_a_mail_leaves_when_its_time_has_come(office: Office, post: Post) -> None:
    office.promise(due_at=NOON + timedelta(minutes=30))
    office.clock.forward(minutes=30)

    assert deliver_due(office.runtime) == 1


def test_the_mail_that_waited_longest_goes_first(office: Office, post: Post) -> None:
    later = survey_values(run_started_at=None)
    office.promise("second", values=later, due_at=NOON - timedelta(minutes=1))
    office.promise("first", due_at=NOON - timedelta(minutes=2))

    deliver_due(office.runtime)

    assert [letter["Subject"] for letter in post.letters] == [
        "Your run this morning: how do you feel?",
        "A quick question about your run",
    ]


def test_no_mail_to_a_runner_without_a_confirmed_address(
    office: Office, post: Post
) -> None:
    office.change(email_confirmed_at=None)
    office.promise()

    assert deliver_due(office.runtime) == 0

    assert office.mail().withheld_for == "no address"
    assert post.connections == 0


def test_a_stale_mail_is_withheld_and_forgets_its_links(office: Office) -> None:
    office.promise()
    office.clock.forward(hours=20)

    deliver_due(office.runtime)

    mail = office.mail()
    assert (mail.withheld_for, mail.sealed, mail.due_at) == ("stale", None, None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"skipped_at": NOON}, "skipped"),
        ({"cancelled_for": "run deleted"}, "cancelled"),
        ({"expires_at": NOON}, "stale"),
    ],
)
def test_a_survey_that_is_over_is_not_mailed(
    office: Office, change: dict[str, Any], reason: str
) -> None:
    office.promise(survey_id=office.survey_id)
    office.change_survey(**change)

    deliver_due(office.runtime)

    assert office.mail().withheld_for == reason
    assert office.survey().sent_at is None


def test_an_answered_survey_is_not_mailed(office: Office) -> None:
    office.promise(survey_id=office.survey_id)
    answered(office, survey_id=office.survey_id)

    deliver_due(office.runtime)

    assert office.mail().withheld_for == "answered"


def test_a_cancelled_mail_does_not_leave(office: Office, post: Post) -> None:
    office.promise(survey_id=office.survey_id)
    with office.runtime.db.transaction() as session:
        outbox.cancel(session, office.survey_id, "paused")

    assert deliver_due(office.runtime) == 0

    assert post.taken == []


def test_a_mail_whose_key_is_lost_does_not_stop_the_others(
    office: Office, post: Post
) -> None:
    office.promise("lost")
    office.promise("fine", due_at=NOON)
    with office.runtime.db.transaction() as session:
        session.merge(office.mail("lost")).sealed = b"nobody can open this"

    assert deliver_due(office.runtime) == 1

    assert office.mail("lost").withheld_for == "unreadable"


def test_a_mail_that_cannot_be_written_does_not_stop_the_others(
    office: Office, post: Post
) -> None:
    office.promise("wrong", kind="sign_in_link", values={"token": 7})
    office.promise("fine")

    assert deliver_due(office.runtime) == 1

    assert office.mail("wrong").withheld_for == "unreadable"


def test_without_a_mail_server_the_setting_is_named(office: Office) -> None:
    without = office.runtime.settings.model_copy(update={"smtp_url": None})
    runtime = replace(office.runtime, settings=without)

    with pytest.raises(NotConfigured, match="MOODMILES_SMTP_URL"):
        deliver_due(runtime)


def test_two_workers_share_one_outbox(office: Office, post: Post) -> None:
    """While one worker waits for the server, another takes only the other mails."""
    office.promise("first")
    office.promise("second")
    sent: list[int] = []

    def meanwhile() -> None:
        if not sent:
            sent.append(-1)
            with listening() as second_post:
                url = office.runtime.settings.database_url
                settings = settings_for(url, smtp_url=second_post.url)
                sent[0] = deliver_due(replace(office.runtime, settings=settings))

    post.before_reply = meanwhile

    assert deliver_due(office.runtime) == 1
    assert sent == [1]
    assert len(post.taken) == 1
