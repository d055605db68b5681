"""The headline numbers can be recomputed from the exported files alone."""

import csv
import io
from datetime import date

import numpy as np
import pytest
from scipy import stats

from sync.analytics.panels.host_questions import HostQuestion
from sync.analytics.stats.series import Floats
from sync.portability.study_files import build_files
from tests.lab.bench.simulated_runners import RunnerSimulator, SimulatedTruth
from tests.sync.analytics.reference_history import build_reference_history

Rows = list[dict[str, str]]
HOST_QUESTIONS = (
    HostQuestion(
        key="legs",
        text="How do your legs feel?",
        choices=((0, "Lead"), (1, "Heavy"), (2, "So-so"), (3, "Light"), (4, "Air")),
        is_about_run=True,
    ),
)


@pytest.fixture(scope="module")
def tables() -> dict[str, Rows]:
    history = RunnerSimulator(
        SimulatedTruth(0.3, longer=0.3), np.random.default_rng(2)
    ).simulate_runner()
    return {
        name: list(csv.DictReader(io.StringIO(text)))
        for name, text in build_files(history).items()
    }


@pytest.fixture(scope="module")
def reference() -> dict[str, Rows]:
    """Return the tables of the runner who is made from the shared data sets."""
    files = build_files(build_reference_history(), HOST_QUESTIONS)
    return {
        name: list(csv.DictReader(io.StringIO(text))) for name, text in files.items()
    }


def read_answers(tables: dict[str, Rows], question: str) -> dict[str, str]:
    return next(row for row in tables["headline.csv"] if row["question"] == question)


def read_column(tables: dict[str, Rows], column: str, where: str) -> Floats:
    rows = tables["answers.csv"]
    return np.array(
        [float(row[column]) for row in rows if row[where] == "1" and row[column]]
    )


@pytest.mark.parametrize(
    ("question", "column"), [("after_runs", "mood"), ("stress", "stress")]
)
def test_the_differences_can_be_recomputed(
    tables: dict[str, Rows], question: str, column: str
) -> None:
    after = read_column(tables, column, "after_run")
    rest = read_column(tables, column, "rest")

    found = stats.ttest_ind(after, rest, equal_var=False)

    exported = read_answers(tables, question)
    width = float(exported["high"]) - float(exported["low"])
    low, high = found.confidence_interval(0.95)
    assert float(exported["value"]) == pytest.approx(after.mean() - rest.mean())
    assert int(exported["n"]) == len(after) + len(rest)
    assert width >= (high - low) * 0.999


def test_the_link_with_mileage_can_be_recomputed(tables: dict[str, Rows]) -> None:
    runs = {row["run"]: row for row in tables["runs.csv"]}
    rows = [
        row
        for row in tables["answers.csv"]
        if row["after_run"] == "1" and row["race"] == "0"
    ]
    assert all(runs[row["run"]]["race"] == row["race"] for row in rows)

    found = stats.spearmanr(
        [float(row["about_m"]) for row in rows],
        [float(row["mood"]) for row in rows],
    )

    exported = read_answers(tables, "mileage")
    assert float(exported["value"]) == pytest.approx(found.statistic)
    assert int(exported["n"]) == len(rows)


def pick(reference: dict[str, Rows], **wanted: str) -> Rows:
    return [
        row
        for row in reference["answers.csv"]
        if all(row[column] == value for column, value in wanted.items())
    ]


def get_numbers(rows: Rows, column: str) -> Floats:
    return np.array([float(row[column]) for row in rows if row[column]])


def expect_number(
    reference: dict[str, Rows], question: str, value: float, n: int
) -> None:
    exported = read_answers(reference, question)
    assert float(exported["value"]) == pytest.approx(value, abs=1e-9)
    assert int(exported["n"]) == n
    assert float(exported["low"]) <= value <= float(exported["high"])


@pytest.mark.parametrize(
    ("question", "column", "first", "second"),
    [
        ("control", "control", {"rest": "0"}, {"rest": "1"}),
        ("confidence", "confidence", {"rest": "0"}, {"rest": "1"}),
        ("clear_head", "clarity", {"after_run": "1"}, {"rest": "1"}),
        ("sleep", "sleep", {"ran_before": "1"}, {"ran_before": "0"}),
    ],
)
def test_differences_of_questions_more_can_be_recomputed(
    reference: dict[str, Rows],
    question: str,
    column: str,
    first: dict[str, str],
    second: dict[str, str],
) -> None:
    is_about_run = "after_run" in first
    at = {} if is_about_run else {"checkin": "1"}
    one = get_numbers(pick(reference, **first, **at), column)
    other = get_numbers(pick(reference, **second, **at), column)

    found = stats.ttest_ind(one, other, equal_var=False)

    low, high = found.confidence_interval(0.95)
    exported = read_answers(reference, question)
    assert float(exported["high"]) - float(exported["low"]) >= (high - low) * 0.999
    expect_number(reference, question, one.mean() - other.mean(), len(one) + len(other))


def test_late_runs_can_be_recomputed(reference: dict[str, Rows]) -> None:
    rows = [row for row in pick(reference, checkin="1") if row["ended_before"]]
    late, earlier = (
        get_numbers(
            [row for row in rows if (float(row["ended_before"]) > 20.5) is is_late],
            "sleep",
        )
        for is_late in (True, False)
    )

    difference = late.mean() - earlier.mean()

    expect_number(reference, "late_runs", difference, len(late) + len(earlier))


def test_progress_after_milestones_can_be_recomputed(
    reference: dict[str, Rows],
) -> None:
    rows = pick(reference, after_run="1")
    milestones, others = (
        get_numbers(
            [
                row
                for row in rows
                if ("1" in (row["race"], row["longest"])) is is_milestone
            ],
            "progress",
        )
        for is_milestone in (True, False)
    )

    difference = milestones.mean() - others.mean()

    expect_number(
        reference, "progress_milestones", difference, len(milestones) + len(others)
    )


@pytest.mark.parametrize(
    ("question", "x", "y", "where"),
    [
        ("presence_mood", "presence", "mood", {"after_run": "1"}),
        ("effort_mood", "effort", "mood", {"after_run": "1"}),
        ("stress_load", "month_m", "stress", {"rest": "1", "month_full": "1"}),
        ("host_legs", "about_m", "legs", {"after_run": "1"}),
    ],
)
def test_links_of_questions_more_can_be_recomputed(
    reference: dict[str, Rows], question: str, x: str, y: str, where: dict[str, str]
) -> None:
    rows = [row for row in pick(reference, **where) if row[x] and row[y]]

    found = stats.spearmanr(get_numbers(rows, x), get_numbers(rows, y))

    expect_number(reference, question, float(found.statistic), len(rows))


def test_links_of_weeks_can_be_recomputed(reference: dict[str, Rows]) -> None:
    moods = group(pick(reference, rest="1"), "mood")
    minutes, distances = (
        group(reference["runs.csv"], column) for column in ("moving_s", "distance_m")
    )
    weeks = sorted(moods)
    mood = [np.mean(moods[week]) for week in weeks]
    ran = [week for week in weeks if sum(distances.get(week, [])) > 0]

    by_minutes = stats.spearmanr(
        [round(sum(minutes.get(week, [])), 6) for week in weeks], mood
    )
    by_share = stats.spearmanr(
        [round(max(distances[week]) / sum(distances[week]), 9) for week in ran],
        [np.mean(moods[week]) for week in ran],
    )

    expect_number(reference, "week_minutes", by_minutes.statistic, len(weeks))
    expect_number(reference, "longest_share", by_share.statistic, len(ran))


def group(rows: Rows, column: str) -> dict[str, list[float]]:
    by_week: dict[str, list[float]] = {}
    for row in rows:
        by_week.setdefault(row["week_of"], []).append(float(row[column]))
    return by_week


def test_the_share_of_great_runs_can_be_recomputed(reference: dict[str, Rows]) -> None:
    rows = [row for row in pick(reference, after_run="1") if row["energy"]]
    count = sum(row["mood"] == "2" and row["energy"] == "4" for row in rows)

    found = stats.binomtest(count, len(rows)).proportion_ci(method="wilson")

    exported = read_answers(reference, "runners_high")
    assert count > 0
    assert float(exported["low"]) <= found.low + 1e-9
    assert float(exported["high"]) >= found.high - 1e-9
    expect_number(reference, "runners_high", count / len(rows), len(rows))


@pytest.mark.parametrize(
    ("question", "column"), [("remembered", "before"), ("pre_run", "said_before")]
)
def test_changes_can_be_recomputed(
    reference: dict[str, Rows], question: str, column: str
) -> None:
    rows = [row for row in pick(reference, after_run="1") if row[column]]
    change = get_numbers(rows, "mood") - get_numbers(rows, column)

    found = stats.ttest_1samp(change, 0).confidence_interval(0.95)

    exported = read_answers(reference, question)
    width = float(exported["high"]) - float(exported["low"])
    assert width >= (found.high - found.low) * 0.999
    expect_number(reference, question, change.mean(), len(change))


def test_the_spread_of_each_four_weeks_can_be_recomputed(
    reference: dict[str, Rows],
) -> None:
    first_day = min(row["local_day"] for row in reference["runs.csv"])
    start = date.fromisoformat(first_day)
    moods: dict[int, list[float]] = {}
    for row in pick(reference, rest="1"):
        stretch = (date.fromisoformat(row["local_day"]) - start).days // 28
        moods.setdefault(stretch, []).append(float(row["mood"]))

    exported = [
        row for row in reference["groups.csv"] if row["question"] == "steadiness"
    ]

    assert len(exported) > 10
    for row in exported:
        stretch = (date.fromisoformat(row["name"]) - start).days // 28
        found = stats.tstd(moods[stretch])
        assert float(row["value"]) == pytest.approx(found)
        assert int(row["n"]) == len(moods[stretch]) >= 6


def test_the_means_of_groups_can_be_recomputed(reference: dict[str, Rows]) -> None:
    bands = {"easy runs": "01", "moderate runs": "2", "hard runs": "34"}
    exported = {
        row["name"]: row
        for row in reference["groups.csv"]
        if row["question"] == "effort_mood"
    }

    for name, steps in bands.items():
        rows = [row for row in pick(reference, after_run="1") if row["effort"] in steps]
        mood = get_numbers([row for row in rows if row["effort"]], "mood")
        assert float(exported[name]["value"]) == pytest.approx(mood.mean())
        assert int(exported[name]["n"]) == len(mood)


def test_the_shares_of_a_hosts_question_can_be_recomputed(
    reference: dict[str, Rows],
) -> None:
    legs = get_numbers(pick(reference, after_run="1"), "legs")
    exported = {
        row["name"]: row
        for row in reference["groups.csv"]
        if row["question"] == "host_legs"
    }

    for value, words in HOST_QUESTIONS[0].choices:
        assert int(exported[words]["n"]) == np.count_nonzero(legs == value)
        assert float(exported[words]["value"]) == pytest.approx((legs == value).mean())


def test_every_number_of_the_files_is_in_the_codebook(
    reference: dict[str, Rows],
) -> None:
    known = {(row["file"], row["column"]) for row in reference["codebook.csv"]}

    for name in ("runs.csv", "answers.csv", "groups.csv"):
        assert {(name, column) for column in reference[name][0]} <= known
    questions = {row["question"] for row in reference["headline.csv"]}
    assert {("headline.csv", question) for question in questions} <= known


def test_every_column_is_in_the_codebook(tables: dict[str, Rows]) -> None:
    known = {(row["file"], row["column"]) for row in tables["codebook.csv"]}

    for name in ("runs.csv", "answers.csv"):
        assert {(name, column) for column in tables[name][0]} <= known


def test_nobody_is_named_and_nothing_can_run_in_a_spreadsheet(
    tables: dict[str, Rows],
) -> None:
    cells = [cell for rows in tables.values() for row in rows for cell in row.values()]

    assert not [cell for cell in cells if cell[:1] in {"=", "+", "@"}]
