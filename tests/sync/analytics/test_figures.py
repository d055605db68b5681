"""A runner's figures follow every change of runs and answers, and no visit."""

import pytest
from sqlalchemy import select, update

from sync.analytics import load_figures
from sync.analytics.dataset.overview import load_dashboard
from sync.analytics.panels.panel import TOO_EARLY
from sync.language import activate_language
from sync.models import FigureDecision, Runner
from sync.preferences import Preferences
from sync.runners.store import bump_data_version
from tests.sync.analytics.runner_data import RunnerData


def test_a_new_runner_has_figures_without_anything_in_them(
    runner_data: RunnerData,
) -> None:
    found = load_figures(runner_data.runtime, runner_data.runner_id)

    assert [panel.verdict for panel in found.headline] == [TOO_EARLY] * 3
    assert found.mileage.sentence == "Not enough yet: 0 of 15 runs."
    assert (found.mileage.answer_count, found.support, found.notice) == (0, None, None)


def test_a_link_is_told_at_thirty_answers_and_stands(runner_data: RunnerData) -> None:
    runner_data.add_correlated_runs(29)
    before = load_figures(runner_data.runtime, runner_data.runner_id).mileage
    runner_data.add_run(30, 24, 2)
    at_thirty = load_figures(runner_data.runtime, runner_data.runner_id).mileage
    runner_data.add_run(31, 4, 2)
    later = load_figures(runner_data.runtime, runner_data.runner_id).mileage

    assert before.verdict == TOO_EARLY
    assert at_thirty.sentence.startswith("In your first 30 answers, mood after longer")
    assert later.sentence == at_thirty.sentence
    assert later.answer_count == 31


def test_an_edited_run_changes_the_dots_and_decides_the_sentence_again(
    runner_data: RunnerData,
) -> None:
    runner_data.add_correlated_runs(30)
    first = load_figures(runner_data.runtime, runner_data.runner_id)
    runner_data.update_run(3, distance_m=5000.0)

    again = load_figures(runner_data.runtime, runner_data.runner_id)

    assert 5000.0 in {
        run.about_m
        for run in load_dashboard(runner_data.runtime, runner_data.runner_id).runs
    }
    assert again.mileage.decision is not None
    assert first.mileage.decision is not None
    assert again.mileage.decision.decided_at == first.mileage.decision.decided_at
    assert again.mileage.notes[0].startswith("Decided again on 1 June 2026")


@pytest.mark.parametrize("how", ["hidden", "another recording counts"])
def test_a_run_that_does_not_count_leaves_every_figure(
    runner_data: RunnerData, how: str
) -> None:
    runner_data.add_correlated_runs(30)
    load_figures(runner_data.runtime, runner_data.runner_id)
    if how == "hidden":
        runner_data.update_run(3, hidden_at=runner_data.clock())
    else:
        runner_data.update_run(3, counted=False)

    found = load_figures(runner_data.runtime, runner_data.runner_id)

    assert found.mileage.verdict == "withdrawn"
    assert found.mileage.answer_count == 29
    assert len(load_dashboard(runner_data.runtime, runner_data.runner_id).runs) == 29


def test_nothing_is_computed_twice_while_nothing_changes(
    runner_data: RunnerData,
) -> None:
    runner_data.add_correlated_runs(5)

    first = load_figures(runner_data.runtime, runner_data.runner_id)
    second = load_figures(runner_data.runtime, runner_data.runner_id)
    runner_data.add_run(6, 8, 1)
    third = load_figures(runner_data.runtime, runner_data.runner_id)

    assert second is first
    assert third.data_version == first.data_version + 1


def test_decided_sentences_are_sealed_at_rest(runner_data: RunnerData) -> None:
    runner_data.add_correlated_runs(30)

    load_figures(runner_data.runtime, runner_data.runner_id)

    with runner_data.runtime.db.read_only() as session:
        kept = session.scalars(select(FigureDecision)).all()
    assert "mileage" in {row.panel for row in kept}
    assert not any(b"mileage" in row.sealed for row in kept)


def test_the_unit_changes_words_and_never_what_was_found(
    runner_data: RunnerData,
) -> None:
    runner_data.add_correlated_runs(40)
    in_km = load_figures(runner_data.runtime, runner_data.runner_id)
    with runner_data.runtime.db.transaction() as session:
        session.execute(update(Runner).values(preferences=Preferences(units="mi")))
        bump_data_version(session, runner_data.runner_id)

    in_miles = load_figures(runner_data.runtime, runner_data.runner_id)

    assert in_miles.unit == "mi"
    assert in_miles.mileage.link == in_km.mileage.link
    assert in_miles.mileage.sentence == in_km.mileage.sentence


def test_a_check_in_after_a_run_of_that_day_is_no_rest_day(
    runner_data: RunnerData,
) -> None:
    runner_data.add_run(1, 8, 1)
    runner_data.add_checkin(1, 2)
    runner_data.add_checkin(2, -1)

    found = load_figures(runner_data.runtime, runner_data.runner_id)

    assert found.after_runs.answer_count == 2
    assert [
        one["mood"]
        for one in runner_data.read_study_table("answers.csv")
        if one["rest"] == "1"
    ] == ["-1"]


def test_local_facts_arrive_as_the_runner_lived_them(runner_data: RunnerData) -> None:
    runner_data.add_run(1, 10, 1, treadmill=True)
    runner_data.add_run(2, 10, 2, sport="TrailRun", said={"before": 0, "company": 1})
    runner_data.add_run(3, 10, None, start_known=False, race=True)
    runner_data.add_run(4, 10, None, sport="VirtualRun", with_others=True)

    runs, answers = (
        runner_data.read_study_table("runs.csv"),
        runner_data.read_study_table("answers.csv"),
    )

    assert [run["place"] for run in runs] == ["indoors", "trail", "street", "indoors"]
    assert [run["start_hour"] for run in runs] == ["8", "8", "", "8"]
    assert [run["race"] + run["with_others"] for run in runs] == [
        "00",
        "00",
        "10",
        "01",
    ]
    assert [(run["local_day"], run["week_m"]) for run in runs[:2]] == [
        ("2026-01-06", "10000"),
        ("2026-01-07", "20000"),
    ]
    assert [(one["before"], one["company"]) for one in answers] == [
        ("", ""),
        ("0", "1"),
    ]


def test_mostly_low_answers_open_the_support_lines(runner_data: RunnerData) -> None:
    for number in range(130, 146, 3):
        runner_data.add_run(number, 8, -1)

    found = load_figures(runner_data.runtime, runner_data.runner_id)

    assert found.support is not None
    assert found.support.startswith("Your last answers were mostly low.")


def test_a_link_along_mileage_says_how_steep_it_is(runner_data: RunnerData) -> None:
    runner_data.add_correlated_runs(30)

    notes = load_figures(runner_data.runtime, runner_data.runner_id).mileage.notes
    with activate_language("de"):
        german = load_figures(runner_data.runtime, runner_data.runner_id).mileage.notes

    assert "About +0.9 steps of mood for each 5 km more." in notes
    assert "Etwa +0,9 Stufen Stimmung je 5 km mehr." in german
