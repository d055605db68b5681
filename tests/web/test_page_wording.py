"""No page in any state claims more than its runner's own answers can carry."""

import re
from html import unescape

import pytest

from sync.surveys.policy.explanations import explain_decision, label_reason
from sync.vocabulary import DecisionReason
from tests.support.harness import Harness
from tests.support.page_fixtures import STATES
from tests.sync.analytics.test_claim_wording import find_forbidden
from tests.web.conftest import PageClient
from web.http.problems import BY_ERROR, BY_STATUS, UNKNOWN, Problem

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("state", STATES)
def test_every_page_keeps_to_what_it_knows(
    state: str, browser: PageClient, harness: Harness
) -> None:
    scene = STATES[state](harness)
    if scene.runner_id is not None:
        browser.sign_in(scene.runner_id)

    page = browser.open(scene.path).text

    assert "</html>" in page
    assert find_forbidden(read_words(page)) == []


@pytest.mark.parametrize("problem", [*BY_ERROR.values(), *BY_STATUS.values(), UNKNOWN])
def test_every_problem_is_told_without_a_forbidden_word(problem: Problem) -> None:
    actions = [problem.action, problem.other_action]
    labels = " ".join(action.label for action in actions if action is not None)
    assert find_forbidden(f"{problem.title} {problem.text} {labels}") == []


@pytest.mark.parametrize("reason", DecisionReason)
def test_every_reason_keeps_to_plain_words(reason: DecisionReason) -> None:
    assert find_forbidden(explain_decision(reason, 900)) == []
    assert find_forbidden(label_reason(reason)) == []


def read_words(page: str) -> str:
    """Return what a reader gets of a page: its words and its labels, no markup."""
    labels = re.findall(r'(?:aria-label|content|title|alt)="([^"]*)"', page)
    shown = re.sub(r"(?s)<script.*?</script>|<[^>]+>", " ", page)
    return unescape(" ".join([shown, *labels]))
