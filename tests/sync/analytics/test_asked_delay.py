"""The panel about drawn delays, from rows to page and to the files for study."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, text

from sync.analytics.figures import load_figures
from sync.analytics.panels.panel import Panel
from sync.models import Answer, DelayDraw, Run, Survey
from sync.portability.study_files import build_study_export
from tests.sync.analytics.runner_data import RunnerData

DELAYS = ("0", "1", "2", "4", "6")
EVEN = dict.fromkeys(DELAYS, 0.2)


def add_drawn_run(
    runner_data: RunnerData, number: int, delay_h: int, mood: int | None, **more: Any
) -> None:
    """Add a run whose question came after `delay_h`, answered at once unless told."""
    odds, is_sent = more.pop("odds", EVEN), more.pop("is_sent", True)
    more.setdefault("answered_h", delay_h + 0.1)
    runner_data.add_run(number, 10.0, mood, **more)
    with runner_data.runtime.db.transaction() as session:
        run = session.get_one(Run, number)
        key = runner_data.vault.pairing_key(run.source, run.source_id)
        asks_at = run.started_at + timedelta(seconds=3700, hours=delay_h)
        session.add(
            DelayDraw(
                runner_id=runner_data.runner_id,
                run_id=number,
                pairing_key=key,
                delay_h=delay_h,
                odds=odds,
                asks_at=asks_at,
                drawn_at=run.started_at,
            )
        )
        session.add(
            Survey(
                runner_id=runner_data.runner_id,
                run_id=number,
                pairing_key=key,
                kind="run",
                token_hash=f"{number:064}",
                instrument="run-1",
                reversed_order=False,
                created_at=run.started_at,
                send_at=asks_at,
                expires_at=asks_at + timedelta(hours=18),
                sent_at=asks_at if is_sent else None,
            )
        )
        answer = session.scalar(select(Answer).where(Answer.run_id == number))
        if answer is not None:
            answer.pairing_key = key


def load_panel(runner_data: RunnerData) -> Panel:
    figures = load_figures(runner_data.runtime, runner_data.runner_id)
    return next(panel for panel in figures.panels if panel.name == "asked_delay")


def add_decay(runner_data: RunnerData, count: int) -> None:
    """Add runs after which mood falls from Good to Awful over six hours."""
    for number in range(1, count + 1):
        delay_h = int(DELAYS[number % 5])
        mood = {0: 2, 1: 1, 2: 0, 4: -1, 6: -2}[delay_h]
        add_drawn_run(runner_data, number, delay_h, mood if number % 7 else 0)


def test_without_a_draw_there_is_no_panel(runner_data: RunnerData) -> None:
    runner_data.add_run(1, 10.0, 1)

    figures = load_figures(runner_data.runtime, runner_data.runner_id)

    assert "asked_delay" not in {panel.name for panel in figures.panels}
    habit = next(panel for panel in figures.panels if panel.name == "hours_since")
    assert any("drawn at random" in note for note in habit.notes)


def test_answers_and_questions_are_counted_by_what_was_drawn(
    runner_data: RunnerData,
) -> None:
    # Drawn for six hours, and answered as if it had been asked at once.
    add_drawn_run(runner_data, 1, 6, 1, answered_h=0.2)
    add_drawn_run(runner_data, 2, 6, None)
    add_drawn_run(runner_data, 3, 0, -1, answered_h=20)
    add_drawn_run(runner_data, 4, 0, None, is_sent=False)

    panel = load_panel(runner_data)

    counts = {
        group.hours: (group.answered_count, group.asked_count) for group in panel.delays
    }
    assert counts == {0: (1, 1), 1: (0, 0), 2: (0, 0), 4: (0, 0), 6: (1, 2)}
    assert panel.answer_count == 2
    assert any("1 of these answers came before" in note for note in panel.notes)


def test_a_run_with_another_after_it_is_left_out_whatever_was_drawn(
    runner_data: RunnerData,
) -> None:
    for number, delay_h in ((1, 0), (2, 6)):
        add_drawn_run(runner_data, number, delay_h, 1)
        runner_data.add_run(number + 100, 5.0, None, hours_later=8)
    with runner_data.runtime.db.transaction() as session:
        for number in (1, 2):
            first, second = (
                session.get_one(Run, number),
                session.get_one(Run, number + 100),
            )
            second.started_at = first.started_at + timedelta(hours=8)
            second.local_day = first.local_day

    panel = load_panel(runner_data)

    assert panel.answer_count == 0
    assert [group.asked_count for group in panel.delays] == [0] * 5


def test_a_clear_decay_is_said_with_its_hours(runner_data: RunnerData) -> None:
    add_decay(runner_data, 40)

    panel = load_panel(runner_data)

    assert panel.verdict == "lower"
    assert panel.sentence.startswith(
        "Mood tended to be lower the longer after a run you were asked: about −"
    )
    assert "over 6 hours, in 30 answers" in panel.sentence
    [contrast] = [group.contrast for group in panel.delays if group.hours == 6]
    assert contrast is not None
    assert contrast.i95[1] < 0


def test_below_thirty_answers_nothing_is_said(runner_data: RunnerData) -> None:
    add_decay(runner_data, 29)

    panel = load_panel(runner_data)

    assert panel.verdict == "too_early"
    assert panel.sentence == "Not enough yet: 29 of 30 answers."


def test_the_export_gives_the_slope_with_numpy_alone(runner_data: RunnerData) -> None:
    add_decay(runner_data, 40)
    evening = {"0": 0.5, "1": 0.5}
    for number in range(50, 60):
        add_drawn_run(runner_data, number, number % 2, 2, odds=evening)
    runtime = runner_data.runtime
    with runtime.db.read_only() as session:
        files = build_study_export(runtime, session, runner_data.runner_id)
    tables = {
        name: list(csv.DictReader(io.StringIO(text))) for name, text in files.items()
    }

    rows = [
        row
        for row in tables["delays.csv"]
        if row["answer"] and row["asked"] == "1" and row["followed"] == "0"
    ]
    mood = [
        float(tables["answers.csv"][int(row["answer"]) - 1]["mood"]) for row in rows
    ]
    columns = np.array(
        [[float(row["delay_h"]), float(row["expected_h"]), 1.0] for row in rows]
    )
    slope = np.linalg.lstsq(columns, np.array(mood), rcond=None)[0][0]

    [line] = [row for row in tables["headline.csv"] if row["question"] == "asked_delay"]
    assert float(line["value"]) == pytest.approx(slope, abs=1e-9)
    assert int(line["n"]) == len(rows) == 50
    assert [float(rows[-1][f"odds_{hours}"]) for hours in DELAYS] == [0.5, 0.5, 0, 0, 0]


@pytest.mark.parametrize(
    "odds", [{}, [], {"0": "x", "1": 0.5}, {"1": 1.0}, {"0": 0.9, "1": 0.9}]
)
def test_a_draw_that_cannot_be_read_is_in_no_figure(
    runner_data: RunnerData, odds: Any
) -> None:
    add_drawn_run(runner_data, 1, 0, 1)
    add_drawn_run(runner_data, 2, 0, 1)
    with runner_data.runtime.db.transaction() as session:
        session.execute(
            text("UPDATE delay_draw SET odds = :odds WHERE run_id = 2"),
            {"odds": json.dumps(odds)},
        )

    assert load_panel(runner_data).answer_count == 1
