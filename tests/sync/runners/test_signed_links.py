"""Links that name a runner: those in mails sent long ago work for ever."""

from dataclasses import replace

import pytest

from sync.crypto import Sealer
from sync.runners import signed_links
from sync.vocabulary import SignedLinkPurpose
from tests.support.harness import Harness

OLD_KEY = "the-key-of-2026-with-at-least-32-letters"
NEW_KEY = "the-key-of-2027-with-at-least-32-letters"
# As it stands in mails that runner 1 received while OLD_KEY was the newest.
SENT_TOKEN = "1-cb7a38619b0b2d8446d568e2045e29cf"


@pytest.fixture
def first_runner(harness: Harness) -> int:
    runner_id = harness.link_runner(harness.add_athlete())
    assert runner_id == 1
    return runner_id


def find_runner(
    harness: Harness,
    token: str,
    *keys: str,
    purpose: SignedLinkPurpose = SignedLinkPurpose.UNSUBSCRIBE,
) -> int | None:
    runtime = replace(harness.runtime, sealer=Sealer(keys))
    return signed_links.find_token_runner(runtime, token, purpose=purpose)


def test_a_link_of_a_mail_sent_earlier_still_works(
    harness: Harness, first_runner: int
) -> None:
    runtime = replace(harness.runtime, sealer=Sealer([OLD_KEY]))

    token = signed_links.create_token(
        runtime, first_runner, purpose=SignedLinkPurpose.UNSUBSCRIBE
    )

    assert token == SENT_TOKEN
    assert find_runner(harness, SENT_TOKEN, OLD_KEY) == first_runner


def test_a_link_outlives_the_rotation_of_keys_and_ends_with_its_key(
    harness: Harness, first_runner: int
) -> None:
    assert find_runner(harness, SENT_TOKEN, NEW_KEY, OLD_KEY) == first_runner
    assert find_runner(harness, SENT_TOKEN, NEW_KEY) is None


def test_a_link_serves_its_own_purpose_alone(
    harness: Harness, first_runner: int
) -> None:
    assert (
        find_runner(harness, SENT_TOKEN, OLD_KEY, purpose=SignedLinkPurpose.PRE_RUN)
        is None
    )


@pytest.mark.parametrize(
    "token",
    [
        "",
        "1",
        "1-",
        SENT_TOKEN[:-1],
        f"{SENT_TOKEN}0",
        SENT_TOKEN.upper(),
        f"2{SENT_TOKEN[1:]}",
        f"\N{ARABIC-INDIC DIGIT ONE}{SENT_TOKEN[1:]}",
        f"0{SENT_TOKEN}",
        f"{'9' * 19}{SENT_TOKEN[1:]}",
        f"-{SENT_TOKEN}",
        f"{SENT_TOKEN[:-1]}é",
    ],
)
@pytest.mark.usefixtures("first_runner")
def test_any_other_token_names_nobody(harness: Harness, token: str) -> None:
    assert find_runner(harness, token, OLD_KEY) is None


def test_the_link_of_a_deleted_runner_names_nobody(harness: Harness) -> None:
    token = signed_links.create_token(
        harness.runtime, 7, purpose=SignedLinkPurpose.UNSUBSCRIBE
    )

    assert (
        signed_links.find_token_runner(
            harness.runtime, token, purpose=SignedLinkPurpose.UNSUBSCRIBE
        )
        is None
    )
