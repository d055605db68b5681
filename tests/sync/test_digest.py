"""The weekly look back: for those who asked for it, when there is something to say."""

import struct
import zlib
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import select, update

from sync import digest
from sync.mail import messages
from sync.mail.envelope import seal_up
from sync.mail.message import PICTURE_ID, Message, Sending
from sync.mail.week_picture import HEIGHT, WIDTH, Day, week_picture
from sync.models import Mail, Run
from sync.runners import disconnect, preferences
from sync.simulator.records import Athlete
from sync.surveys import unsubscribe
from sync.surveys.answering import answer
from tests.support.harness import Stage
from tests.support.outbox_reader import token_in, waiting
from tests.sync.test_query_plans import statements

THURSDAY = datetime(2026, 5, 7, 10, tzinfo=UTC)
MONDAY_IN_BERLIN = datetime(2026, 5, 11, 6, tzinfo=UTC)  # eight o'clock


@pytest.fixture
def athlete(stage: Stage) -> Athlete:
    athlete = stage.athlete()
    stage.link(athlete)
    stage.work()
    preferences.save(stage.runtime, 1, {"digest": True, "zone": "Europe/Berlin"})
    stage.clock.at = THURSDAY
    return athlete


@pytest.fixture
def ran(stage: Stage, athlete: Athlete) -> None:
    run = stage.run(athlete, ended_minutes_ago=5, distance_m=8200)
    stage.tell(athlete, run.id, "create")
    stage.work()
    answer.record(stage.runtime, token=token_in(stage.runtime), values={"mood": 1})


def digests(stage: Stage) -> int:
    with stage.runtime.db.reading() as session:
        return len(session.scalars(select(Mail).where(Mail.kind == "digest")).all())


def written(stage: Stage) -> Message:
    sending = Sending("https://m.example", now=stage.clock(), stale_at=stage.clock())
    return messages.render("digest", waiting(stage.runtime, "digest"), sending)


@pytest.mark.usefixtures("ran")
def test_on_monday_morning_the_week_comes_once(stage: Stage) -> None:
    counts = []
    for hours in (0, 1, 2, 24):
        stage.clock.at = MONDAY_IN_BERLIN
        stage.pass_time(hours=hours - 1)
        digest.drain(stage.runtime)
        counts.append(digests(stage))

    assert counts == [0, 1, 1, 1]


@pytest.mark.usefixtures("ran")
def test_a_week_that_starts_on_sunday_is_looked_back_on_then(stage: Stage) -> None:
    preferences.save(stage.runtime, 1, {"week_starts": "sunday"})
    stage.clock.at = MONDAY_IN_BERLIN - timedelta(days=1)

    digest.drain(stage.runtime)

    assert "Thu 8.2 km, Good." in written(stage).text
    assert waiting(stage.runtime, "digest")["first_weekday"] == 6
    assert waiting(stage.runtime, "digest")["distances_m"] == [0, 0, 0, 0, 8200, 0, 0]


@pytest.mark.usefixtures("ran")
def test_it_says_what_was_run_and_answered_and_one_honest_sentence(
    stage: Stage,
) -> None:
    stage.clock.at = MONDAY_IN_BERLIN
    digest.drain(stage.runtime)

    mail = written(stage)

    assert "1 run, 8.2 km, 1 answer." in mail.text
    assert "Thu 8.2 km, Good." in mail.text
    assert "Not enough yet" in mail.text
    assert mail.unsubscribe_url is not None
    assert mail.unsubscribe_url.endswith("?only=digest")


@pytest.mark.usefixtures("athlete")
def test_without_a_run_there_is_nothing_to_say(stage: Stage) -> None:
    stage.clock.at = MONDAY_IN_BERLIN

    digest.drain(stage.runtime)

    assert digests(stage) == 0


@pytest.mark.usefixtures("ran")
def test_answers_of_who_did_not_run_that_week_are_not_even_read(stage: Stage) -> None:
    stage.clock.at = MONDAY_IN_BERLIN + timedelta(weeks=1)

    with statements(stage.runtime.db.engine) as noted:
        digest.drain(stage.runtime)

    assert digests(stage) == 0
    assert not any("FROM answer" in statement for statement, _ in noted)


@pytest.mark.usefixtures("ran")
def test_a_hidden_run_alone_is_nothing_to_say(stage: Stage) -> None:
    with stage.runtime.db.transaction() as session:
        session.execute(update(Run).values(hidden_at=stage.clock()))
    stage.clock.at = MONDAY_IN_BERLIN

    digest.drain(stage.runtime)

    assert digests(stage) == 0


@pytest.mark.usefixtures("ran")
def test_whoever_did_not_ask_for_it_gets_none(stage: Stage) -> None:
    token = unsubscribe.token_for(stage.runtime, 1)
    assert unsubscribe.stop_only(stage.runtime, token, "digest")
    stage.clock.at = MONDAY_IN_BERLIN

    digest.drain(stage.runtime)

    assert digests(stage) == 0
    assert preferences.preferences(stage.runtime, 1).ask == "every-run"


@pytest.mark.usefixtures("ran")
def test_whoever_stops_all_mails_gets_none_either(stage: Stage) -> None:
    unsubscribe.stop(stage.runtime, unsubscribe.token_for(stage.runtime, 1))
    stage.clock.at = MONDAY_IN_BERLIN

    digest.drain(stage.runtime)

    assert digests(stage) == 0


@pytest.mark.usefixtures("ran")
@pytest.mark.parametrize("part", ["digest", ""])
def test_one_that_waits_for_the_morning_is_stopped_too(stage: Stage, part: str) -> None:
    token = unsubscribe.token_for(stage.runtime, 1)
    stage.clock.at = MONDAY_IN_BERLIN
    digest.drain(stage.runtime)

    if part:
        unsubscribe.stop_only(stage.runtime, token, part)
    else:
        unsubscribe.stop(stage.runtime, token)

    with stage.runtime.db.reading() as session:
        mail = session.scalars(select(Mail).where(Mail.kind == "digest")).one()
    assert (mail.due_at, mail.sealed, mail.withheld_for) == (None, None, "stopped")


@pytest.mark.usefixtures("ran")
def test_one_that_waits_says_nothing_of_strava_s_after_a_goodbye(stage: Stage) -> None:
    stage.clock.at = MONDAY_IN_BERLIN
    digest.drain(stage.runtime)

    disconnect.disconnect(stage.runtime, 1)

    with stage.runtime.db.reading() as session:
        mail = session.scalars(select(Mail).where(Mail.kind == "digest")).one()
    assert (mail.due_at, mail.sealed) == (None, None)


@pytest.mark.usefixtures("ran")
def test_the_picture_travels_with_the_mail(stage: Stage) -> None:
    stage.clock.at = MONDAY_IN_BERLIN
    digest.drain(stage.runtime)

    letter = seal_up(
        written(stage),
        kind="digest",
        sender="runs@m.example",
        recipient="sam@example.org",
        message_id="<1@m.example>",
        sent_at=stage.clock(),
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
    assert f"cid:{PICTURE_ID}" in parts[3].get_content()
    assert parts[4]["Content-ID"] == f"<{PICTURE_ID}>"
    assert len(letter.as_bytes()) < 30_000


def pixels(png: bytes) -> list[bytes]:
    """Read a picture back as rows of pixels."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, colours = struct.unpack(">IIBB", png[16:26])
    assert (width, height, depth, colours) == (WIDTH, HEIGHT, 8, 2)
    start = png.index(b"IDAT") + 4
    raw = zlib.decompress(png[start : png.index(b"IEND") - 8])
    line = 3 * WIDTH + 1
    return [raw[at + 1 : at + line] for at in range(0, len(raw), line)]


def test_the_longest_day_is_the_highest_bar_and_moods_have_their_colours() -> None:
    week = [Day(0, []), Day(5000, [-2]), Day(0, [0]), Day(10_000, [2, 1])]
    rows = pixels(week_picture(week + [Day(0, [])] * 3))

    bars = [
        sum(row[3 * x : 3 * x + 3] == bytes((214, 206, 190)) for row in rows)
        for x in (239, 503)
    ]
    colours = {bytes(row[at : at + 3]) for row in rows for at in range(0, len(row), 3)}
    assert bars == [80, 160]
    assert bytes((75, 63, 158)) in colours
    assert bytes((194, 120, 3)) in colours
    assert bytes((127, 119, 188)) not in colours


def test_an_empty_week_can_be_drawn_too() -> None:
    assert pixels(week_picture([Day(0, [])] * 7))
