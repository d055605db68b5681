"""The panels of questions more: golden numbers, and what never changes them."""

from collections.abc import Mapping
from dataclasses import fields, replace

import numpy as np
import pytest

from sync.analytics.dataset.history import AnswerArrays, History
from sync.analytics.panels.definition import Comparison
from sync.analytics.panels.discovery import ComparedPanel, compare_all, list_panels
from sync.analytics.panels.host_questions import (
    HostQuestion,
    compare_host_questions,
)
from sync.analytics.panels.pre_run import find_checkin_pairs
from sync.analytics.panels.sleep import find_last_ends
from sync.analytics.sentences.milestones import FIRST_MILESTONE
from sync.analytics.stats.series import Floats, InvalidSeries
from sync.analytics.stats.shares import estimate_share
from tests.sync.analytics.reference_history import build_reference_history

HOST_QUESTIONS = (
    HostQuestion("legs", "How do your legs feel?", ((0, "Heavy"), (4, "Light")), True),
    HostQuestion("home", "Is it tidy at home?", ((0, "No"), (4, "Yes")), False),
)
NEW_PANELS = [
    *(panel.name for panel in list_panels() if not panel.is_on_dashboard),
    *(question.panel_name for question in HOST_QUESTIONS),
]
# Computed with scipy 1.17.1 from the exported files; see test_recompute_from_export.
GOLDEN: Mapping[str, tuple[float, int]] = {
    "week_minutes": (-0.215286037294, 58),
    "longest_share": (-0.216038486896, 58),
    "runners_high": (0.05, 300),
    "steadiness": (1.19665221207, 14),
    "stress_load": (-0.0151246341028, 382),
    "presence_mood": (-0.00863698147895, 300),
    "effort_mood": (0.0103283298673, 300),
    "progress_milestones": (0.126262626263, 300),
    "control": (0.119324577861, 462),
    "confidence": (0.285459662289, 462),
    "clear_head": (-0.0273983739837, 710),
    "sleep": (-0.165758878802, 404),
    "late_runs": (0.035101010101, 299),
    "remembered": (-0.0466666666667, 300),
    "pre_run": (-0.44, 100),
    "host_legs": (0.06841947618, 300),
    "host_home": (0.0642253556282, 462),
}


@pytest.fixture(scope="module")
def history() -> History:
    return build_reference_history()


def compare(history: History) -> dict[str, ComparedPanel]:
    panels = [*compare_all(history), *compare_host_questions(history, HOST_QUESTIONS)]
    return {panel.name: panel for panel in panels}


def map_answers(history: History, **columns: object) -> History:
    """Return the history with other columns of answers."""
    return replace(history, answers=replace(history.answers, **columns))  # type: ignore[arg-type]


def set_focus(history: History, key: str, values: Floats | None) -> History:
    focus = dict(history.answers.focus)
    focus.pop(key)
    return map_answers(
        history, focus=focus if values is None else {**focus, key: values}
    )


def test_there_is_a_golden_number_for_each_new_panel() -> None:
    assert set(GOLDEN) == set(NEW_PANELS)


@pytest.mark.parametrize("name", NEW_PANELS)
def test_the_number_is_the_one_that_was_measured(name: str, history: History) -> None:
    value, n = GOLDEN[name]

    found = compare(history)[name].comparison.estimate()

    assert found.value == pytest.approx(value, abs=1e-9)
    assert found.n == n
    assert found.i95[0] < found.value < found.i95[1]


@pytest.mark.parametrize("name", NEW_PANELS)
def test_the_order_of_the_answers_changes_nothing(name: str, history: History) -> None:
    order = np.random.default_rng(4).permutation(len(history.answers.run))
    answers = history.answers
    columns: dict[str, object] = {
        field.name: getattr(answers, field.name)[order]
        for field in fields(AnswerArrays)
        if field.name not in {"focus", "earlier_runs"}
    }
    focus = {key: column[order] for key, column in answers.focus.items()}

    shuffled = map_answers(history, **columns, focus=focus)

    first, second = (compare(one)[name].comparison for one in (history, shuffled))
    assert list_values(first) == pytest.approx(list_values(second))
    first_drawing, second_drawing = first.draw(None), second.draw(None)
    assert first_drawing.answer_count == second_drawing.answer_count
    assert list(first_drawing.means) == list(second_drawing.means)


def list_values(comparison: Comparison) -> list[float]:
    estimate = comparison.estimate()
    return [estimate.value, estimate.n, estimate.n_eff, *estimate.i95]


@pytest.mark.parametrize("name", NEW_PANELS)
def test_answers_that_never_differ_say_nothing(name: str, history: History) -> None:
    constant = np.ones(len(history.answers.run))
    focus = {
        key: np.where(np.isnan(column), np.nan, 1.0)
        for key, column in history.answers.focus.items()
    }
    level = map_answers(
        history,
        mood=constant,
        stress=constant,
        before=constant,
        focus=focus,
    )

    panel = compare(level)[name]

    question = panel.comparison.build_question(name)
    if question.answer_count >= FIRST_MILESTONE:
        assert question.evaluate(len(question.rows)).verdict == "none"
    panel.comparison.draw(None)


@pytest.mark.parametrize("name", NEW_PANELS)
def test_nothing_is_decided_about_a_picture(name: str, history: History) -> None:
    panel = compare(history)[name]
    question = panel.comparison.build_question(name)

    assert panel.definition.is_picture == (question.answer_count == 0)
    if panel.definition.is_picture:
        with pytest.raises(ValueError, match="nothing is decided"):
            question.evaluate(30)


@pytest.mark.parametrize(
    "name", [panel.name for panel in list_panels() if panel.questions]
)
def test_a_panel_uses_the_questions_that_it_names(name: str, history: History) -> None:
    (definition,) = (panel for panel in list_panels() if panel.name == name)
    for key in definition.questions:
        drawn = draw_with_other_answers(history, key)
        assert drawn[0].get(name) != drawn[1].get(name), key


def draw_with_other_answers(
    history: History, key: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Draw all panels, and again with the answers to one question turned round."""
    others = np.random.default_rng(8).permutation(len(history.answers.run))
    answers, pre_run = history.answers, history.pre_run
    sides = np.arange(len(answers.run)) % 2
    flags = np.where(answers.run >= 0, sides, np.nan)
    if key == "mood":
        changed = replace(history, pre_run=replace(pre_run, mood=pre_run.mood[::-1]))
    elif key in {"company", "place", "race"}:
        changed = map_answers(history, **{key: 2 * flags if key == "place" else flags})
    elif key in answers.focus:
        column = answers.focus[key]
        is_given = ~np.isnan(column)
        turned = column.copy()
        turned[is_given] = (4 - column[is_given])[
            np.argsort(others[is_given], kind="stable")
        ]
        changed = set_focus(history, key, turned)
    else:
        column = getattr(answers, key)
        is_given = ~np.isnan(column)
        turned = column.copy()
        turned[is_given] = column[is_given][np.argsort(others[is_given])]
        changed = map_answers(history, **{key: turned})
    first, second = (
        {
            name: repr(panel.comparison.draw(None))
            for name, panel in compare(one).items()
        }
        for one in (history, changed)
    )
    return first, second


@pytest.mark.parametrize(
    "key",
    ["energy", "presence", "effort", "progress", "clarity", "sleep", "confidence"],
)
def test_a_question_that_was_never_answered_has_no_panel(
    key: str, history: History
) -> None:
    asked, unasked = compare(history), compare(set_focus(history, key, None))

    missing = asked.keys() - unasked.keys()

    uses = {name for name in missing if key in asked[name].definition.questions}
    assert missing == uses
    assert len(missing) >= 1


@pytest.mark.parametrize("name", NEW_PANELS)
def test_nothing_stands_in_for_answers_that_are_missing(
    name: str, history: History
) -> None:
    """Leave out every third answer: no number rests on more than are left."""
    before = compare(history)[name].comparison.draw(None).answer_count
    is_left = np.arange(len(history.answers.run)) % 3 > 0
    focus = {
        key: np.where(is_left, column, np.nan)
        for key, column in history.answers.focus.items()
    }
    stress, remembered = (
        np.where(is_left, column, np.nan)
        for column in (history.answers.stress, history.answers.before)
    )

    thinned = compare(
        map_answers(history, focus=focus, stress=stress, before=remembered)
    )[name]

    assert thinned.comparison.draw(None).answer_count <= before
    assert np.isfinite(thinned.comparison.estimate().value)


def test_an_empty_history_draws_every_panel_that_it_has() -> None:
    whole = build_reference_history()
    nothing = np.zeros(0)
    columns: dict[str, object] = {
        field.name: getattr(whole.answers, field.name)[:0]
        for field in fields(AnswerArrays)
        if field.name not in {"focus", "earlier_runs"}
    }
    empty = map_answers(
        whole, **columns, focus=dict.fromkeys(whole.answers.focus, nothing)
    )

    for panel in compare(empty).values():
        drawing = panel.comparison.draw(None)
        assert drawing.answer_count == 0
        assert drawing.too_few.render()
        assert drawing.means == {}
        assert drawing.shares == {}


def test_two_check_ins_of_a_day_pair_without_a_run_between(history: History) -> None:
    earlier, later = find_checkin_pairs(history)
    days = history.answers.local_day

    assert len(later) > 0
    assert (days[earlier] == days[later]).all()
    assert not np.isin(days[later], history.run_days).any()


def test_a_before_belongs_to_the_run_that_follows_it(history: History) -> None:
    rows = np.flatnonzero(~np.isnan(history.said_before))
    runs = history.answers.run[rows]

    assert (runs % 3 == 0).all()
    assert len(rows) == len(history.pre_run.mood)
    assert (history.said_before[rows] == history.pre_run.mood[runs // 3]).all()


@pytest.mark.parametrize("early_s", [0.0, 3 * 3600.0])
def test_a_before_counts_up_to_three_hours_before_the_start(
    early_s: float, history: History
) -> None:
    pre_run = replace(history.pre_run, answered_s=history.runs.started_s[::3] - early_s)

    found = replace(history, pre_run=pre_run)

    assert np.count_nonzero(~np.isnan(found.said_before)) == len(pre_run.mood)


def test_a_before_counts_for_no_run_that_is_too_far_off(history: History) -> None:
    early = history.runs.started_s[::3] - 3 * 3600 - 1

    found = replace(history, pre_run=replace(history.pre_run, answered_s=early))

    assert np.isnan(found.said_before).all()


def test_a_hidden_start_hides_how_late_the_day_was(history: History) -> None:
    runs = history.runs
    is_hidden = np.arange(len(runs.id)) % 4 == 0
    hidden = replace(
        history,
        runs=replace(
            runs,
            ended_s=np.where(is_hidden, np.nan, runs.ended_s),
            start_hour=np.where(is_hidden, np.nan, runs.start_hour),
        ),
    )

    shown, found = find_last_ends(history), find_last_ends(hidden)

    hidden_days = runs.local_day[is_hidden] + 1
    is_lost = np.isin(history.answers.local_day, hidden_days)
    assert np.isnan(found[is_lost]).all()
    assert found[~is_lost] == pytest.approx(shown[~is_lost], nan_ok=True)


@pytest.mark.parametrize("count", [0, 1, 7, 40])
def test_a_share_lies_within_its_interval(count: int) -> None:
    flags = np.arange(40) < count

    found = estimate_share(flags, np.arange(40.0))

    assert (found.count, found.n, found.share) == (count, 40, count / 40)
    assert 0 <= found.i95[0] <= found.share <= found.i95[1] <= 1


def test_a_share_of_nothing_could_be_anything() -> None:
    assert estimate_share(np.zeros(0), np.zeros(0)).i95 == (0.0, 1.0)


def test_a_share_of_missing_days_is_refused() -> None:
    with pytest.raises(InvalidSeries):
        estimate_share([1.0, 0.0], [1.0, np.nan])
