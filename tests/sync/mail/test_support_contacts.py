"""After mostly low answers the next mail names people to talk to, and says no more."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from sync.analytics.sentences.rare_notices import NOTICE_STATE
from sync.crypto import KeyLost
from sync.mail.deliver import deliver_due
from sync.mail.message import FooterContact
from sync.models import Answer, FigureDecision
from sync.preferences import Preferences
from sync.runtime import Runtime
from tests.support.smtp_servers import OK, FakeSmtpServer
from tests.sync.analytics.test_claim_wording import find_forbidden
from tests.sync.mail.conftest import NOON, OutboxHarness, build_survey_values
from workers.support_contacts import find_contacts

DAY = timedelta(days=1)
SAMARITANS = "Samaritans: call 116 123 https://www.samaritans.org"
LOW = {"who5_1": 2, "who5_2": 2, "who5_3": 2, "who5_4": 3, "who5_5": 3}
deliver = partial(deliver_due, find_contacts=find_contacts)


def add_answers(
    outbox_harness: OutboxHarness, *moods: int, every: timedelta = DAY
) -> None:
    """Answer so, the last one just now."""
    for back, mood in enumerate(reversed(moods)):
        add_answer(outbox_harness, "run", {"mood": mood}, ago=back * every)


def add_answer(
    outbox_harness: OutboxHarness, kind: str, values: dict[str, int], *, ago: timedelta
) -> None:
    vault = outbox_harness.runtime.sealer.open_vault(
        outbox_harness.get_runner().vault_key
    )
    with outbox_harness.runtime.db.transaction() as session:
        session.add(
            Answer(
                runner_id=outbox_harness.runner_id,
                kind=kind,
                instrument=f"{kind}-1",
                reversed_order=False,
                answered_at=outbox_harness.clock() - ago,
                tags={},
                sealed=vault.seal(values),
            )
        )


def deliver_next_mail(
    outbox_harness: OutboxHarness,
    post: FakeSmtpServer,
    *,
    key: str,
    kind: str = "survey",
) -> str:
    """Send one mail and return what it says."""
    values = {"token": "t"} if kind == "sign_in_link" else build_survey_values()
    outbox_harness.enqueue(
        key, kind=kind, values=values, stale_at=outbox_harness.clock() + DAY
    )
    assert deliver(outbox_harness.runtime) == 1
    return read_text(post)


def read_text(post: FakeSmtpServer) -> str:
    body = post.emails[-1].get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def has_support_contacts(text: str) -> bool:
    return "If you would like to talk to a person" in text


@pytest.mark.parametrize(
    ("moods", "every", "named"),
    [
        ((1, -2, -2, -2), DAY, True),
        ((-1, -1, -2, 0, -1), 3 * DAY, True),
        ((-1, -1, -2, 0, -1), DAY, False),
        ((0, 1, -2, -2), DAY, False),
        ((), DAY, False),
    ],
)
def test_mostly_low_answers_put_people_into_the_foot_of_the_next_mail(
    outbox_harness: OutboxHarness,
    post: FakeSmtpServer,
    moods: Sequence[int],
    every: timedelta,
    named: bool,
) -> None:
    add_answers(outbox_harness, *moods, every=every)

    text = deliver_next_mail(outbox_harness, post, key="survey:1")

    assert has_support_contacts(text) is named
    assert (SAMARITANS in text) is named
    html = post.emails[-1].get_body(("html",))
    assert html is not None
    assert ('href="https://www.samaritans.org"' in html.get_content()) is named


def test_the_foot_says_nothing_of_the_answers(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    without = deliver_next_mail(outbox_harness, post, key="survey:1")
    add_answers(outbox_harness, -2, -2, -2)

    with_people = deliver_next_mail(outbox_harness, post, key="survey:2")
    added = with_people.removeprefix(without.rstrip())

    assert len(added) < len(with_people)
    assert find_forbidden(added) == []
    assert not {"low", "awful", "answers", "mood"} & set(added.lower().split())


def test_one_mail_in_two_weeks_names_them(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    named = []
    for number, days in enumerate((0, 1, 12, 1)):
        outbox_harness.clock.advance(days=days)
        add_answers(outbox_harness, -2, -2, -2)
        named.append(
            has_support_contacts(
                deliver_next_mail(outbox_harness, post, key=f"survey:{number}")
            )
        )

    assert named == [True, False, False, True]


def test_mails_about_the_account_name_nobody(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    add_answers(outbox_harness, -2, -2, -2)

    about_account = deliver_next_mail(
        outbox_harness, post, key="sign in:1", kind="sign_in_link"
    )
    usual = deliver_next_mail(outbox_harness, post, key="survey:1")

    assert not has_support_contacts(about_account)
    assert has_support_contacts(usual)


def test_a_mail_that_is_tried_again_still_names_them(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    add_answers(outbox_harness, -2, -2, -2)
    post.content_reply = "451 later"
    outbox_harness.enqueue()
    assert deliver(outbox_harness.runtime) == 0
    post.content_reply = OK
    outbox_harness.clock.advance(minutes=10)

    assert deliver(outbox_harness.runtime) == 1
    assert has_support_contacts(read_text(post))
    assert not has_support_contacts(
        deliver_next_mail(outbox_harness, post, key="survey:2")
    )


def test_a_mail_that_never_left_does_not_count(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    add_answers(outbox_harness, -2, -2, -2)
    post.content_reply = "554 no"
    outbox_harness.enqueue()
    assert deliver(outbox_harness.runtime) == 0
    assert outbox_harness.get_mail().withheld_for == "refused"
    post.content_reply = OK

    assert has_support_contacts(deliver_next_mail(outbox_harness, post, key="survey:2"))


@pytest.mark.parametrize(
    ("is_on", "days_ago", "named"),
    [(True, 3, True), (True, 29, False), (False, 3, False)],
)
def test_a_low_longer_look_does_the_same_while_it_is_new_and_wanted(
    outbox_harness: OutboxHarness,
    post: FakeSmtpServer,
    is_on: bool,
    days_ago: int,
    named: bool,
) -> None:
    outbox_harness.update_runner(preferences=Preferences(wellbeing=is_on))
    add_answer(outbox_harness, "wellbeing", LOW, ago=days_ago * DAY)

    assert (
        has_support_contacts(deliver_next_mail(outbox_harness, post, key="survey:1"))
        is named
    )


@pytest.mark.parametrize(
    ("preferences", "line"),
    [
        ({"country": "US"}, "988 Suicide & Crisis Lifeline: call or text 988"),
        ({"country": "*"}, "Find A Helpline: choose your country"),
        ({"language": "de"}, "Samaritans: Anruf: 116 123"),
    ],
)
def test_they_are_those_of_the_runners_country_in_the_runners_language(
    outbox_harness: OutboxHarness,
    post: FakeSmtpServer,
    preferences: dict[str, str],
    line: str,
) -> None:
    outbox_harness.update_runner(preferences=Preferences.from_stored(preferences))
    add_answers(outbox_harness, -2, -2, -2)
    outbox_harness.enqueue()

    deliver(outbox_harness.runtime)

    assert line in read_text(post)


def test_for_a_runner_erased_meanwhile_there_is_nobody(
    outbox_harness: OutboxHarness,
) -> None:
    assert find_contacts(outbox_harness.runtime, 1, outbox_harness.runner_id + 1) == ()


def test_what_is_kept_looks_the_same_whatever_was_answered(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    add_answers(outbox_harness, 2, 2, 2)

    deliver_next_mail(outbox_harness, post, key="survey:1")

    with outbox_harness.runtime.db.read_only() as session:
        panels = session.scalars(select(FigureDecision.panel)).all()
    assert panels == [NOTICE_STATE]


def test_a_mail_is_not_lost_over_its_foot(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    def unreadable(
        _runtime: Runtime, _mail: int, _runner: int
    ) -> Sequence[FooterContact]:
        raise KeyLost("An answer cannot be opened.")

    outbox_harness.enqueue()

    assert deliver_due(outbox_harness.runtime, find_contacts=unreadable) == 1
    assert not has_support_contacts(read_text(post))
    assert outbox_harness.get_mail().sent_at == NOON
