"""After mostly low answers the next mail names people to talk to, and says no more."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from sync.analytics.sentences.rare_notices import RARE
from sync.crypto import KeyLost
from sync.mail.deliver import deliver_due
from sync.mail.message import Person
from sync.models import Answer, FigureDecision
from sync.runtime import Runtime
from tests.support.smtp_servers import OK, Post
from tests.sync.analytics.test_claim_wording import forbidden_in
from tests.sync.mail.conftest import NOON, Office, survey_values
from workers.support_contacts import people_for

DAY = timedelta(days=1)
SAMARITANS = "Samaritans: call 116 123 https://www.samaritans.org"
LOW = {"who5_1": 2, "who5_2": 2, "who5_3": 2, "who5_4": 3, "who5_5": 3}
deliver = partial(deliver_due, people_for=people_for)


def say(office: Office, *moods: int, every: timedelta = DAY) -> None:
    """Answer so, the last one just now."""
    for back, mood in enumerate(reversed(moods)):
        keep(office, "run", {"mood": mood}, ago=back * every)


def keep(office: Office, kind: str, said: dict[str, int], *, ago: timedelta) -> None:
    vault = office.runtime.sealer.vault(office.runner().vault_key)
    with office.runtime.db.transaction() as session:
        session.add(
            Answer(
                runner_id=office.runner_id,
                kind=kind,
                instrument=f"{kind}-1",
                reversed_order=False,
                answered_at=office.clock() - ago,
                tags={},
                sealed=vault.seal(said),
            )
        )


def next_mail(office: Office, post: Post, *, key: str, kind: str = "survey") -> str:
    """Send one mail and return what it says."""
    values = {"token": "t"} if kind == "sign_in_link" else survey_values()
    office.promise(key, kind=kind, values=values, stale_at=office.clock() + DAY)
    assert deliver(office.runtime) == 1
    return text_of(post)


def text_of(post: Post) -> str:
    body = post.letters[-1].get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def names_people(text: str) -> bool:
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
    office: Office,
    post: Post,
    moods: Sequence[int],
    every: timedelta,
    named: bool,
) -> None:
    say(office, *moods, every=every)

    text = next_mail(office, post, key="survey:1")

    assert names_people(text) is named
    assert (SAMARITANS in text) is named
    html = post.letters[-1].get_body(("html",))
    assert html is not None
    assert ('href="https://www.samaritans.org"' in html.get_content()) is named


def test_the_foot_says_nothing_of_the_answers(office: Office, post: Post) -> None:
    without = next_mail(office, post, key="survey:1")
    say(office, -2, -2, -2)

    with_people = next_mail(office, post, key="survey:2")
    added = with_people.removeprefix(without.rstrip())

    assert len(added) < len(with_people)
    assert forbidden_in(added) == []
    assert not {"low", "awful", "answers", "mood"} & set(added.lower().split())


def test_one_mail_in_two_weeks_names_them(office: Office, post: Post) -> None:
    named = []
    for number, days in enumerate((0, 1, 12, 1)):
        office.clock.forward(days=days)
        say(office, -2, -2, -2)
        named.append(names_people(next_mail(office, post, key=f"survey:{number}")))

    assert named == [True, False, False, True]


def test_mails_about_the_account_name_nobody(office: Office, post: Post) -> None:
    say(office, -2, -2, -2)

    about_account = next_mail(office, post, key="sign in:1", kind="sign_in_link")
    usual = next_mail(office, post, key="survey:1")

    assert not names_people(about_account)
    assert names_people(usual)


def test_a_mail_that_is_tried_again_still_names_them(
    office: Office, post: Post
) -> None:
    say(office, -2, -2, -2)
    post.on_content = "451 later"
    office.promise()
    assert deliver(office.runtime) == 0
    post.on_content = OK
    office.clock.forward(minutes=10)

    assert deliver(office.runtime) == 1
    assert names_people(text_of(post))
    assert not names_people(next_mail(office, post, key="survey:2"))


def test_a_mail_that_never_left_does_not_count(office: Office, post: Post) -> None:
    say(office, -2, -2, -2)
    post.on_content = "554 no"
    office.promise()
    assert deliver(office.runtime) == 0
    assert office.mail().withheld_for == "refused"
    post.on_content = OK

    assert names_people(next_mail(office, post, key="survey:2"))


@pytest.mark.parametrize(
    ("is_on", "days_ago", "named"),
    [(True, 3, True), (True, 29, False), (False, 3, False)],
)
def test_a_low_longer_look_does_the_same_while_it_is_new_and_wanted(
    office: Office, post: Post, is_on: bool, days_ago: int, named: bool
) -> None:
    office.change(preferences={"wellbeing": is_on})
    keep(office, "wellbeing", LOW, ago=days_ago * DAY)

    assert names_people(next_mail(office, post, key="survey:1")) is named


@pytest.mark.parametrize(
    ("preferences", "line"),
    [
        ({"country": "US"}, "988 Suicide & Crisis Lifeline: call or text 988"),
        ({"country": "*"}, "Find A Helpline: choose your country"),
        ({"language": "de"}, "Samaritans: Anruf: 116 123"),
    ],
)
def test_they_are_those_of_the_runners_country_in_the_runners_language(
    office: Office, post: Post, preferences: dict[str, str], line: str
) -> None:
    office.change(preferences=preferences)
    say(office, -2, -2, -2)
    office.promise()

    deliver(office.runtime)

    assert line in text_of(post)


def test_for_a_runner_erased_meanwhile_there_is_nobody(office: Office) -> None:
    assert people_for(office.runtime, 1, office.runner_id + 1) == ()


def test_what_is_kept_looks_the_same_whatever_was_answered(
    office: Office, post: Post
) -> None:
    say(office, 2, 2, 2)

    next_mail(office, post, key="survey:1")

    with office.runtime.db.reading() as session:
        panels = session.scalars(select(FigureDecision.panel)).all()
    assert panels == [RARE]


def test_a_mail_is_not_lost_over_its_foot(office: Office, post: Post) -> None:
    def unreadable(_runtime: Runtime, _mail: int, _runner: int) -> Sequence[Person]:
        raise KeyLost("An answer cannot be opened.")

    office.promise()

    assert deliver_due(office.runtime, people_for=unreadable) == 1
    assert not names_people(text_of(post))
    assert office.mail().sent_at == NOON
