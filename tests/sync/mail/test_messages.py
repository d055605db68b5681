"""What the mails say, compared letter by letter with what we agreed on."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typing_extensions import override

from sync.mail.message import InvalidMail, RenderContext, RenderedMail
from sync.mail.rendering import render_mail
from sync.vocabulary import MailKind
from tests.sync.analytics.test_claim_wording import find_forbidden

GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2026, 11, 21, 9, 48, tzinfo=UTC)
SENDING = RenderContext(
    "https://moodmiles.example", now=NOW, stale_at=NOW + timedelta(minutes=15)
)
TOKEN = "Vb3rT0k3n-of-32-letters_like-ours"
STOP = "unsubscribe-token-of-the-runner_1"


def render_survey(**changes: object) -> RenderedMail:
    values: dict[str, object] = {
        "token": TOKEN,
        "unsubscribe_token": STOP,
        "expires_at": "2026-11-22T08:50:00+00:00",
        "zone": "Europe/London",
        "run_started_at": "2026-11-21T08:18:00+00:00",
    }
    return render_mail(MailKind.SURVEY, values | changes, SENDING)


def render(kind: MailKind, **values: object) -> RenderedMail:
    return render_mail(kind, values, SENDING)


MAILS: dict[str, Callable[[], RenderedMail]] = {
    "survey": render_survey,
    "survey_with_distance": lambda: render_survey(distance_m=8_230.4, units="mi"),
    "survey_reversed": lambda: render_survey(reversed_order=True, run_started_at=None),
    "survey_reminder": lambda: render(
        MailKind.SURVEY_REMINDER,
        token=TOKEN,
        unsubscribe_token=STOP,
        expires_at=NOW + timedelta(hours=23),
        zone="Europe/London",
        run_started_at=NOW - timedelta(hours=5),
    ),
    "checkin": lambda: render(
        MailKind.CHECKIN,
        token=TOKEN,
        unsubscribe_token=STOP,
        expires_at=NOW + timedelta(hours=4),
        zone="Europe/London",
    ),
    "digest": lambda: render(
        MailKind.DIGEST,
        distances_m=[0, 5000, 0, 8200, 0, 14_000, 0],
        moods=[[], [1], [], [2], [], [], []],
        runs=3,
        sentence={
            "en": "Not enough yet: 7 of 15 runs.",
            "de": "Noch nicht genug: 7 von 15 Läufen.",
        },
        unsubscribe_token=STOP,
    ),
    "slow_down_question": lambda: render(
        MailKind.SLOW_DOWN_QUESTION, unsubscribe_token=STOP
    ),
    "confirm_address": lambda: render(
        MailKind.CONFIRM_ADDRESS,
        token=TOKEN,
        member_since=NOW - timedelta(days=400),
        runs=212,
        is_linked=True,
        browser="Firefox on Linux",
    ),
    "address_in_use": lambda: render(
        MailKind.ADDRESS_IN_USE,
        member_since=NOW - timedelta(days=1),
        browser="Chrome on Windows",
    ),
    "address_changed": lambda: render(
        MailKind.ADDRESS_CHANGED,
        token=TOKEN,
        until=NOW + timedelta(days=7),
        zone="Europe/London",
    ),
    "address_changed_again": lambda: render(
        MailKind.ADDRESS_CHANGED, until=NOW + timedelta(days=7)
    ),
    "strava_linked": lambda: render(
        MailKind.STRAVA_LINKED,
        token=TOKEN,
        until=NOW + timedelta(days=7),
        zone="Europe/London",
    ),
    "strava_linked_to_a_new_address": lambda: render(
        MailKind.STRAVA_LINKED, until=NOW + timedelta(days=7)
    ),
    "address_restored": lambda: render(MailKind.ADDRESS_RESTORED),
    "sign_in_link": lambda: render(MailKind.SIGN_IN_LINK, token=TOKEN),
    "reconnect": lambda: render(MailKind.RECONNECT),
    "export_ready": lambda: render(
        MailKind.EXPORT_READY,
        expires_at=NOW + timedelta(days=7),
        zone="Europe/London",
    ),
    "disconnected": lambda: render(MailKind.DISCONNECTED),
    "deleted": lambda: render(MailKind.DELETED),
    "undo": lambda: render(
        MailKind.UNDO,
        token=TOKEN,
        until=NOW + timedelta(minutes=10),
        zone="Europe/London",
    ),
    "undo_in_days": lambda: render(
        MailKind.UNDO,
        token=TOKEN,
        until=NOW + timedelta(days=5),
        zone="Europe/London",
    ),
    "inactive": lambda: render(
        MailKind.INACTIVE,
        token=TOKEN,
        until=NOW + timedelta(days=30),
        zone="Europe/London",
    ),
    "agree_again": lambda: render(MailKind.AGREE_AGAIN),
}


class MailHtmlReader(HTMLParser):
    """The links, pictures and words of a mail's HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "href":
                self.links.append(value or "")
            if name in {"src", "background", "srcset"}:
                self.loads.append(value or "")


def test_every_kind_of_mail_is_compared() -> None:
    assert set(MailKind) <= set(MAILS)


@pytest.mark.parametrize("name", MAILS)
def test_the_mail_reads_as_agreed(name: str) -> None:
    mail = MAILS[name]()
    html, text = GOLDEN / f"{name}.html", GOLDEN / f"{name}.txt"

    if os.environ.get("UPDATE_GOLDEN"):
        html.write_text(mail.html)
        text.write_text(f"Subject: {mail.subject}\n\n{mail.text}")

    assert mail.html == html.read_text()
    assert f"Subject: {mail.subject}\n\n{mail.text}" == text.read_text()


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_is_small_and_loads_nothing(name: str) -> None:
    mail = MAILS[name]()

    assert len(mail.html.encode()) <= 20_000
    # What travels inside the mail is not fetched from anywhere.
    assert [
        at for at in MailHtmlReader(mail.html).loads if not at.startswith("cid:")
    ] == []
    forbidden = {"form", "script"} if mail.picture else {"form", "script", "img"}
    assert not MailHtmlReader(mail.html).tags & forbidden
    assert "prefers-color-scheme:dark" in mail.html


@pytest.mark.parametrize("name", MAILS)
def test_the_text_twin_has_every_link_of_the_html(name: str) -> None:
    mail = MAILS[name]()

    links = set(MailHtmlReader(mail.html).links)

    assert links
    assert {link for link in links if link not in mail.text} == set()


@pytest.mark.parametrize("name", MAILS)
def test_no_mail_uses_a_word_that_we_never_use(name: str) -> None:
    mail = MAILS[name]()

    assert find_forbidden(f"{mail.subject}\n{mail.text}") == []


def test_the_five_tiles_lead_to_the_five_answers_best_last() -> None:
    tiles = [
        link for link in MailHtmlReader(render_survey().html).links if "?m=" in link
    ]

    address = f"https://moodmiles.example/s/{TOKEN}"
    assert tiles == [f"{address}?m={mood}" for mood in (1, 2, 3, 4, 5)]


def test_the_order_is_reversed_for_half_the_runners() -> None:
    mail = render_survey(reversed_order=True)

    assert mail.text.index("Great") < mail.text.index("Awful")
    assert mail.html.index("?m=5") < mail.html.index("?m=1")


def test_distance_is_said_only_when_the_runner_wants_it() -> None:
    assert " mi" not in render_survey(distance_m=None).text
    assert "5.1 mi" in render_survey(distance_m=8_230.4, units="mi").text
    assert (
        "Strava"
        not in render_survey().text + render_survey().html + render_survey().subject
    )


def test_a_hidden_start_leaves_no_trace() -> None:
    mail = render_survey(run_started_at=None)

    assert mail.subject == "A quick question about your run"
    assert "morning" not in mail.text + mail.html


def test_what_a_template_is_given_cannot_become_markup() -> None:
    page = MailHtmlReader(render_survey(token='"><script>').html)

    assert "script" not in page.tags
    assert 'https://moodmiles.example/s/"><script>?m=1' in page.links


@pytest.mark.parametrize(
    ("kind", "values", "sentence"),
    [
        (MailKind.SURVEY, {"token": "t"}, "missing a required"),
        (MailKind.SIGN_IN_LINK, {"token": "t", "colour": "red"}, "colour"),
        (MailKind.SIGN_IN_LINK, {"token": 7}, "cannot use its token"),
    ],
)
def test_a_mail_without_its_values_is_refused_in_a_sentence(
    kind: MailKind, values: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InvalidMail, match=sentence):
        render_mail(kind, values, SENDING)


def test_a_confirmation_that_waited_for_an_update_still_leaves() -> None:
    mail = render(MailKind.CONFIRM_ADDRESS, token=TOKEN)

    assert f"/email/confirm/{TOKEN}" in mail.text
    assert "The account:" not in mail.text
    assert "The account:" in MAILS["confirm_address"]().text
