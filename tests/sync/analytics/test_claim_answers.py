"""A claim says what its panels say, and never anything else."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime

import numpy as np
import pytest

from sync.analytics.claim_answers import PanelAnswer, answer_claims
from sync.analytics.claims import CLAIMS, Claim
from sync.analytics.dataset.history import AnswerArrays, History
from sync.analytics.figures import decide_sentences, draw_panels
from sync.analytics.panels.discovery import compare_all, list_panels
from sync.analytics.panels.panel import Panel
from sync.analytics.sentences.milestones import WITHDRAWN
from sync.language import LANGUAGES, activate_language
from sync.preferences import DEFAULT_PREFERENCES, Preferences
from sync.vocabulary import ClaimStatus
from tests.sync.analytics.reference_history import build_reference_history
from tests.sync.analytics.test_claim_wording import find_forbidden
from web.claims.views import build_line

NOW = datetime(2026, 11, 1, tzinfo=UTC)
COUNTS = (0, 3, 14, 31, 90, 250, 740)
# The verdict of a panel, and what a claim may then say.
SAID = {
    "higher": ClaimStatus.CLEAR,
    "lower": ClaimStatus.CLEAR,
    "best": ClaimStatus.CLEAR,
    "early": ClaimStatus.EARLY,
    "none": ClaimStatus.NO_LINK,
    "withdrawn": ClaimStatus.TOO_FEW,
}


@pytest.fixture(scope="module")
def reference() -> History:
    return build_reference_history()


def draw_random_runner(reference: History, seed: int) -> tuple[Panel, ...]:
    """Draw the panels of a runner with some of the answers, and some real links."""
    rng = np.random.default_rng(seed)
    answers, n = reference.answers, len(reference.answers.run)
    count = COUNTS[seed % len(COUNTS)]
    kept = np.sort(rng.choice(n, size=min(count, n), replace=False))
    columns: dict[str, object] = {
        field.name: getattr(answers, field.name)[kept]
        for field in fields(AnswerArrays)
        if field.name not in {"focus", "earlier_runs"}
    }
    focus = {
        key: column[kept] for key, column in answers.focus.items() if rng.random() < 0.7
    }
    is_run = columns["run"] >= 0  # type: ignore[operator]
    company = np.where(is_run, rng.integers(0, 2, len(kept)), np.nan)
    drives = [company, is_run, columns["stress"], *focus.values()]
    drive = np.nan_to_num(np.asarray(drives[rng.integers(len(drives))], dtype=float))
    strength = rng.choice([-2.0, 0.0, 2.0])
    mood = np.clip(np.round(rng.normal(strength * (drive - 0.5), 0.7)), -2, 2)
    history = replace(
        reference,
        answers=replace(
            answers, **{**columns, "mood": mood, "company": company, "focus": focus}
        ),
    )
    compared = compare_all(history)
    decisions = decide_sentences(history, compared, {}, now=NOW)
    return draw_panels(compared, decisions, "km")


@pytest.mark.parametrize("seed", range(21))
def test_no_claim_contradicts_its_panel(reference: History, seed: int) -> None:
    panels = draw_random_runner(reference, seed)
    by_name = {panel.name: panel for panel in panels}

    for answer in answer_claims(panels, DEFAULT_PREFERENCES):
        expected = [name for name in answer.claim.panels if name in by_name]
        shown = [*([answer.main] if answer.main else []), *answer.others]
        assert [part.panel.name for part in shown] == expected
        for part in shown:
            check_part(part)
        if answer.main and answer.status is not ClaimStatus.NOT_ASKED:
            assert answer.status is answer.main.status
        for language in LANGUAGES:
            with activate_language(language):
                line = build_line(answer)
                assert find_forbidden(f"{line.status} {line.certainty}") == []
                if answer.main and answer.status in SAID.values() and line.sentence:
                    assert line.sentence == answer.main.panel.sentence


def check_part(part: PanelAnswer) -> None:
    panel = part.panel
    if panel.decision is not None:
        assert part.status is SAID[panel.verdict]
        assert part.shortfall is None
    elif panel.is_picture and panel.shares:
        assert part.status is ClaimStatus.PICTURE
    elif part.shortfall is not None:
        assert part.status is ClaimStatus.TOO_FEW
        assert str(part.shortfall.count) in panel.sentence
        assert part.shortfall.count < part.shortfall.needed
    else:
        assert panel.is_picture
        assert part.status is ClaimStatus.PICTURE
    assert part.agrees is None or part.status is ClaimStatus.CLEAR


def test_the_random_runners_have_every_answer_that_there_is(reference: History) -> None:
    answers = [
        answer
        for seed in range(21)
        for answer in answer_claims(
            draw_random_runner(reference, seed), DEFAULT_PREFERENCES
        )
    ]

    seen = {answer.status for answer in answers}
    agreeing = {answer.main.agrees for answer in answers if answer.main}
    assert seen >= set(ClaimStatus) - {ClaimStatus.EARLY}
    assert agreeing == {True, False, None}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: str(claim.number))
def test_a_sentence_that_agrees_is_one_of_its_panels(claim: Claim) -> None:
    verdicts = {panel.name: set(panel.sentences) for panel in list_panels()}

    for key in claim.agreeing:
        name, verdict = key.split(".")
        assert name in claim.panels
        assert verdict in verdicts[name] - {"none", "early"}


def test_a_clear_sentence_the_other_way_round_does_not_agree() -> None:
    stress, mileage, hours = (CLAIMS[number - 1] for number in (2, 8, 3))

    assert stress.agrees_with("stress.lower") is True
    assert stress.agrees_with("stress.higher") is False
    assert mileage.agrees_with("mileage.lower") is True
    assert hours.agrees_with("hours_since.lower") is None


def test_a_withdrawn_sentence_is_told_as_too_few(reference: History) -> None:
    panels = draw_random_runner(reference, 6)
    withdrawn = tuple(
        replace(panel, decision=replace(panel.decision, outcome=WITHDRAWN))
        if panel.decision
        else panel
        for panel in panels
    )

    answers = answer_claims(withdrawn, DEFAULT_PREFERENCES)

    statuses = {answer.status for answer in answers}
    assert statuses.isdisjoint({ClaimStatus.CLEAR, ClaimStatus.NO_LINK})
    assert build_line(answers[7]).status == "Too few answers left"


def get_settings_off(
    panels: tuple[Panel, ...], preferences: Preferences
) -> Mapping[int, set[str]]:
    return {
        answer.claim.number: set(answer.settings_off)
        for answer in answer_claims(panels, preferences)
    }


def test_what_is_off_is_named_with_its_setting(reference: History) -> None:
    nobody = draw_random_runner(reference, 0)
    everything_off = Preferences(
        checkins=False, stress=False, context=False, focus="", checkin_focus=""
    )

    off = get_settings_off(nobody, everything_off)

    assert off[1] == {"checkins"}
    assert off[2] == off[6] == {"checkins", "stress"}
    assert off[4] == off[13] == off[20] == {"focus"}
    assert off[12] == {"context"}
    assert off[15] == off[17] == {"checkins", "checkin_focus"}
    assert off[16] == {"focus", "checkin_focus", "checkins"}
    assert off[3] == off[7] == off[8] == off[21] == set()


def test_what_is_on_is_not_asked_for_again(reference: History) -> None:
    nobody = draw_random_runner(reference, 0)

    off = get_settings_off(
        nobody, Preferences(focus="effort", checkin_focus="confidence")
    )

    assert off[1] == off[2] == off[12] == off[15] == off[20] == set()
    assert off[4] == off[13] == {"focus"}
    assert off[17] == {"checkin_focus"}


def test_answers_from_before_a_question_went_off_still_count(
    reference: History,
) -> None:
    panels = draw_random_runner(reference, 6)

    answers = answer_claims(panels, Preferences(context=False))

    company = answers[11]
    assert company.main
    assert company.status is company.main.status
    assert company.status is not ClaimStatus.NOT_ASKED
