"""Each of the article's claims has its pictures, or a reason why it has none."""

import pytest

from sync.analytics.claims import CLAIMS, Claim, get_claims_about
from sync.analytics.panels.discovery import list_panels
from sync.surveys.instruments import QUESTIONS
from tests.sync.analytics.test_claim_wording import find_forbidden

PANELS = {panel.name: panel for panel in list_panels()}
# Not keys of questions, but settings that ask more.
SETTINGS = {"checkins", "context"}


def test_there_are_twenty_to_test_and_the_others_say_why_not() -> None:
    assert [claim.number for claim in CLAIMS] == list(range(1, len(CLAIMS) + 1))
    assert sum(claim.is_testable for claim in CLAIMS) == 20
    assert all(claim.is_testable == bool(claim.panels) for claim in CLAIMS)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: str(claim.number))
def test_a_claim_names_panels_and_questions_that_exist(claim: Claim) -> None:
    assert set(claim.panels) <= set(PANELS)
    assert set(claim.questions) <= set(QUESTIONS) | SETTINGS
    assert len(set(claim.panels)) == len(claim.panels)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: str(claim.number))
def test_a_claim_is_told_in_words_that_may_stand_on_a_page(claim: Claim) -> None:
    assert find_forbidden(f"{claim.text} {claim.reason}") == []
    assert claim.text.endswith(".")
    assert claim.is_testable or claim.reason.endswith(".")


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: str(claim.number))
def test_the_questions_of_its_main_panel_can_be_switched_on(claim: Claim) -> None:
    for name in claim.panels[:1]:
        context = (
            {"company", "place", "race"} if "context" in claim.questions else set()
        )
        asked = {*claim.questions, *context, "race"}
        assert set(PANELS[name].questions) <= asked


def test_every_panel_but_the_focus_ones_answers_a_claim() -> None:
    silent = {name for name in PANELS if not get_claims_about(name)}

    assert silent == {"focus_energy", "focus_connection"}
