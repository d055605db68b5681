"""The headline numbers can be recomputed from the exported files alone."""

import csv
import io

import numpy as np
import pytest
from scipy import stats

from sync.analytics.stats.series import Floats
from sync.portability.study_files import build_files
from tests.lab.bench.simulated_runners import RunnerSimulator, SimulatedTruth

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def tables() -> dict[str, Rows]:
    history = RunnerSimulator(
        SimulatedTruth(0.3, longer=0.3), np.random.default_rng(2)
    ).simulate_runner()
    return {
        name: list(csv.DictReader(io.StringIO(text)))
        for name, text in build_files(history).items()
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
        if row["after_run"] == "1" and runs[row["run"]]["race"] == "0"
    ]

    found = stats.spearmanr(
        [float(row["about_m"]) for row in rows],
        [float(row["mood"]) for row in rows],
    )

    exported = read_answers(tables, "mileage")
    assert float(exported["value"]) == pytest.approx(found.statistic)
    assert int(exported["n"]) == len(rows)


def test_every_column_is_in_the_codebook(tables: dict[str, Rows]) -> None:
    known = {(row["file"], row["column"]) for row in tables["codebook.csv"]}

    for name in ("runs.csv", "answers.csv"):
        assert {(name, column) for column in tables[name][0]} <= known


def test_nobody_is_named_and_nothing_can_run_in_a_spreadsheet(
    tables: dict[str, Rows],
) -> None:
    cells = [cell for rows in tables.values() for row in rows for cell in row.values()]

    assert not [cell for cell in cells if cell[:1] in {"=", "+", "@"}]
