"""Links that name a runner: each has their own, and those in mails work for ever."""

from dataclasses import replace

import pytest

from host.keys import rotate_keys, rotate_vaults
from sync.crypto import Sealer
from sync.models import Runner
from sync.runners import signed_links
from sync.runners import store as runners
from sync.vocabulary import SignedLinkPurpose
from tests.conftest import KEY
from tests.support.former_seals import make_former_stop_token
from tests.support.harness import Harness

NEW_KEY = "the-key-of-2027-with-at-least-32-letters"
STOP, BOOKMARK = SignedLinkPurpose.UNSUBSCRIBE, SignedLinkPurpose.PRE_RUN


@pytest.fixture
def runner_id(harness: Harness) -> int:
    return harness.link_runner(harness.add_athlete())


def find_runner(
    harness: Harness, token: str, *keys: str, purpose: SignedLinkPurpose = STOP
) -> int | None:
    runtime = replace(harness.runtime, sealer=Sealer(keys or [KEY]))
    return signed_links.find_token_runner(runtime, token, purpose=purpose)


@pytest.mark.parametrize("purpose", list(SignedLinkPurpose))
def test_a_link_outlives_every_change_of_keys(
    harness: Harness, runner_id: int, purpose: SignedLinkPurpose
) -> None:
    token = signed_links.create_token(harness.runtime, runner_id, purpose=purpose)
    both = replace(harness.runtime, sealer=Sealer([NEW_KEY, KEY]))

    rotate_keys(both)
    rotate_vaults(both)

    assert find_runner(harness, token, NEW_KEY, purpose=purpose) == runner_id


def test_a_link_serves_its_own_purpose_alone(harness: Harness, runner_id: int) -> None:
    for purpose, other in ((STOP, BOOKMARK), (BOOKMARK, STOP)):
        token = signed_links.create_token(harness.runtime, runner_id, purpose=purpose)

        assert find_runner(harness, token, purpose=other) is None


def test_nobody_else_has_a_runners_links(harness: Harness, runner_id: int) -> None:
    other_id = harness.link_runner(harness.add_athlete(8))
    _, _, signature = signed_links.create_token(
        harness.runtime, runner_id, purpose=STOP
    ).partition("-")

    assert find_runner(harness, f"{other_id}-{signature}") is None


def test_a_number_that_is_used_again_does_not_bring_the_links_back(
    harness: Harness, runner_id: int
) -> None:
    tokens = {
        purpose: signed_links.create_token(harness.runtime, runner_id, purpose=purpose)
        for purpose in SignedLinkPurpose
    }
    with harness.runtime.db.transaction() as session:
        session.delete(session.get_one(Runner, runner_id))
    with harness.runtime.db.transaction() as session:
        session.add(
            Runner(
                id=runner_id,
                created_at=harness.clock(),
                vault_key=harness.runtime.sealer.new_vault_key(),
            )
        )

    for purpose, token in tokens.items():
        assert find_runner(harness, token, purpose=purpose) is None


def test_what_the_hosts_key_signed_before_opens_nothing_of_a_new_runner(
    harness: Harness, runner_id: int
) -> None:
    former = make_former_stop_token(KEY, runner_id)

    for purpose in SignedLinkPurpose:
        assert find_runner(harness, former, purpose=purpose) is None


def test_a_former_stop_link_stops_and_does_nothing_else(
    harness: Harness, runner_id: int
) -> None:
    former = make_former_stop_token(KEY, runner_id)
    with harness.runtime.db.transaction() as session:
        runner = session.get_one(Runner, runner_id)
        secrets = harness.runtime.sealer.open_vault_secrets(runner.vault_key)
        runner.vault_key = harness.runtime.sealer.seal_vault(
            replace(secrets, former_stops=[former.partition("-")[2]])
        )
    both = replace(harness.runtime, sealer=Sealer([NEW_KEY, KEY]))
    rotate_keys(both)
    rotate_vaults(both)

    assert find_runner(harness, former, NEW_KEY) == runner_id
    assert find_runner(harness, former, NEW_KEY, purpose=BOOKMARK) is None


@pytest.mark.parametrize(
    "template",
    [
        "",
        "1",
        "1-",
        "1-{cut}",
        "1-{signature}0",
        "1-{upper}",
        "2-{signature}",
        "\N{ARABIC-INDIC DIGIT ONE}-{signature}",
        "01-{signature}",
        "9999999999999999999-{signature}",
        "-1-{signature}",
        "1-{cut}é",
    ],
)
def test_any_other_token_names_nobody(
    harness: Harness, runner_id: int, template: str
) -> None:
    with harness.runtime.db.read_only() as session:
        vault = runners.open_vault(session, harness.runtime.sealer, runner_id)
    token = signed_links.sign_token(vault, runner_id, purpose=STOP)
    assert find_runner(harness, token) == runner_id == 1
    signature = token.partition("-")[2]
    other = template.format(
        signature=signature, cut=signature[:-1], upper=signature.upper()
    )

    assert find_runner(harness, other) is None
