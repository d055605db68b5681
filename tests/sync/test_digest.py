"""The weekly look back: for those who asked for it, when there is something to say."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import select, update

from sync import digest
from sync.mail.envelope import build_email
from sync.mail.message import PICTURE_CONTENT_ID, RenderContext, RenderedMail
from sync.mail.rendering import render_mail
from sync.mail_address import MailSender
from sync.models import Mail, Run
from sync.runners import disconnect, preferences
from sync.simulator.records import Athlete
from sync.surveys import unsubscribe
from sync.surveys.answering import answer
from sync.vocabulary import MailKind
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_mail, read_pending_token
from tests.sync.test_query_plans import record_statements

THURSDAY = datetime(2026, 5, 7, 10, tzinfo=UTC)
MONDAY_IN_BERLIN = datetime(2026, 5, 11, 6, tzinfo=UTC)  # eight o'clock


@pytest.fixture
def athlete(harness: Harness) -> Athlete:
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    preferences.save_preferences(
        harness.runtime, 1, {"digest": True, "zone": "Europe/Berlin"}
    )
    harness.clock.at = THURSDAY
    return athlete


@pytest.fixture
def answered_run(harness: Harness, athlete: Athlete) -> None:
    run = harness.finish_run(athlete, ended_minutes_ago=5, distance_m=8200)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    answer.record_answer(
        harness.runtime, token=read_pending_token(harness.runtime), values={"mood": 1}
    )


def list_digests(harness: Harness) -> int:
    with harness.runtime.db.read_only() as session:
        return len(session.scalars(select(Mail).where(Mail.kind == "digest")).all())


def render_digest(harness: Harness) -> RenderedMail:
    sending = RenderContext(
        "https://m.example", now=harness.clock(), stale_at=harness.clock()
    )
    return render_mail(
        MailKind.DIGEST, read_pending_mail(harness.runtime, "digest"), sending
    )


@pytest.mark.usefixtures("answered_run")
def test_on_monday_morning_the_week_comes_once(harness: Harness) -> None:
    counts = []
    for hours in (0, 1, 2, 24):
        harness.clock.at = MONDAY_IN_BERLIN
        harness.advance_clock(hours=hours - 1)
        digest.process_due(harness.runtime)
        counts.append(list_digests(harness))

    assert counts == [0, 1, 1, 1]


@pytest.mark.usefixtures("answered_run")
def test_a_week_that_starts_on_sunday_is_looked_back_on_then(harness: Harness) -> None:
    preferences.save_preferences(harness.runtime, 1, {"week_starts": "sunday"})
    harness.clock.at = MONDAY_IN_BERLIN - timedelta(days=1)

    digest.process_due(harness.runtime)

    assert "Thu 8.2 km, Good." in render_digest(harness).text
    assert read_pending_mail(harness.runtime, "digest")["first_weekday"] == 6
    assert read_pending_mail(harness.runtime, "digest")["distances_m"] == [
        0,
        0,
        0,
        0,
        8200,
        0,
        0,
    ]


@pytest.mark.usefixtures("answered_run")
def test_it_says_what_was_run_and_answered_and_one_honest_sentence(
    harness: Harness,
) -> None:
    harness.clock.at = MONDAY_IN_BERLIN
    digest.process_due(harness.runtime)

    mail = render_digest(harness)

    assert "1 run, 8.2 km, 1 answer." in mail.text
    assert "Thu 8.2 km, Good." in mail.text
    assert "Not enough yet" in mail.text
    assert mail.unsubscribe_url is not None
    assert mail.unsubscribe_url.endswith("?only=digest")


@pytest.mark.usefixtures("athlete")
def test_without_a_run_there_is_nothing_to_say(harness: Harness) -> None:
    harness.clock.at = MONDAY_IN_BERLIN

    digest.process_due(harness.runtime)

    assert list_digests(harness) == 0


@pytest.mark.usefixtures("answered_run")
def test_answers_of_who_did_not_run_that_week_are_not_even_read(
    harness: Harness,
) -> None:
    harness.clock.at = MONDAY_IN_BERLIN + timedelta(weeks=1)

    with record_statements(harness.runtime.db.engine) as noted:
        digest.process_due(harness.runtime)

    assert list_digests(harness) == 0
    assert not any("FROM answer" in statement for statement, _ in noted)


@pytest.mark.usefixtures("answered_run")
def test_a_hidden_run_alone_is_nothing_to_say(harness: Harness) -> None:
    with harness.runtime.db.transaction() as session:
        session.execute(update(Run).values(hidden_at=harness.clock()))
    harness.clock.at = MONDAY_IN_BERLIN

    digest.process_due(harness.runtime)

    assert list_digests(harness) == 0


@pytest.mark.usefixtures("answered_run")
def test_whoever_did_not_ask_for_it_gets_none(harness: Harness) -> None:
    token = unsubscribe.create_token(harness.runtime, 1)
    assert unsubscribe.stop_part(harness.runtime, token, "digest")
    harness.clock.at = MONDAY_IN_BERLIN

    digest.process_due(harness.runtime)

    assert list_digests(harness) == 0
    assert preferences.load_preferences(harness.runtime, 1).ask == "every-run"


@pytest.mark.usefixtures("answered_run")
def test_whoever_stops_all_mails_gets_none_either(harness: Harness) -> None:
    unsubscribe.stop_all_mails(
        harness.runtime, unsubscribe.create_token(harness.runtime, 1)
    )
    harness.clock.at = MONDAY_IN_BERLIN

    digest.process_due(harness.runtime)

    assert list_digests(harness) == 0


@pytest.mark.usefixtures("answered_run")
@pytest.mark.parametrize("part", ["digest", ""])
def test_one_that_waits_for_the_morning_is_stopped_too(
    harness: Harness, part: str
) -> None:
    token = unsubscribe.create_token(harness.runtime, 1)
    harness.clock.at = MONDAY_IN_BERLIN
    digest.process_due(harness.runtime)

    if part:
        unsubscribe.stop_part(harness.runtime, token, part)
    else:
        unsubscribe.stop_all_mails(harness.runtime, token)

    with harness.runtime.db.read_only() as session:
        mail = session.scalars(select(Mail).where(Mail.kind == "digest")).one()
    assert (mail.due_at, mail.sealed, mail.withheld_for) == (None, None, "stopped")


@pytest.mark.usefixtures("answered_run")
def test_one_that_waits_says_nothing_of_strava_s_after_a_goodbye(
    harness: Harness,
) -> None:
    harness.clock.at = MONDAY_IN_BERLIN
    digest.process_due(harness.runtime)

    disconnect.disconnect(harness.runtime, 1)

    with harness.runtime.db.read_only() as session:
        mail = session.scalars(select(Mail).where(Mail.kind == "digest")).one()
    assert (mail.due_at, mail.sealed) == (None, None)


@pytest.mark.usefixtures("answered_run")
def test_the_picture_travels_with_the_mail(harness: Harness) -> None:
    harness.clock.at = MONDAY_IN_BERLIN
    digest.process_due(harness.runtime)

    letter = build_email(
        render_digest(harness),
        kind=MailKind.DIGEST,
        sender=MailSender.parse("runs@m.example"),
        recipient="sam@example.org",
        message_id="<1@m.example>",
        sent_at=harness.clock(),
    )

    parts = list(letter.walk())
    kinds = [part.get_content_type() for part in parts]
    assert kinds == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]
    assert isinstance(parts[3], EmailMessage)
    assert f"cid:{PICTURE_CONTENT_ID}" in parts[3].get_content()
    assert parts[4]["Content-ID"] == f"<{PICTURE_CONTENT_ID}>"
    assert len(letter.as_bytes()) < 30_000
