"""The numbers of the dashboard as CSV and as JSON values."""

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING

from flask import Response

from sync.analytics.dataset.left_out import LeftOutRun
from sync.analytics.dataset.overview import Dashboard
from sync.analytics.dataset.run_annotations import RunAnnotation, RunAnnotations
from sync.analytics.dataset.run_rows import RunRow
from sync.safe_csv import write_csv
from sync.surveys.instruments import OPTIONAL_QUESTIONS
from sync.vocabulary import DecisionVerdict
from web.dashboard.comparison_rows import (
    PanelRow,
    build_difference_rows,
    build_link_rows,
)
from web.dashboard.delay_rows import DelayRow, build_drawn_delays
from web.dashboard.weeks import compute_mean_mood
from web.formats import MOOD_LABELS

if TYPE_CHECKING:
    from sync.analytics.panels.panel import Panel

RUN_COLUMNS = (
    "run_id",
    "strava_id",
    "sport",
    "local_date",
    "local_time",
    "distance_m",
    "moving_s",
    "distance_7d_m",
    "treadmill",
    "race",
    "with_others",
    "manual",
    "survey",
    "mood",
    "mood_label",
    "time_counted",
)
ANSWER_COLUMNS = (
    "run_id",
    "local_date",
    "minutes_after_run",
    "mood",
    "mood_label",
    "distance_m",
    "distance_7d_m",
    *(question.key for question in OPTIONAL_QUESTIONS),
)


_ROWS_AT_ONCE = 250


def build_runs_csv(data: Dashboard, annotations: RunAnnotations) -> str:
    """Return the runs that count, and then those that are left out."""
    return write_csv(
        RUN_COLUMNS,
        [
            *(list_run_values(run, annotations[run.id]) for run in data.runs),
            *map(list_left_out_values, data.left_out),
        ],
    )


def build_answers_csv(data: Dashboard) -> str:
    return write_csv(ANSWER_COLUMNS, map(list_answer_values, data.answered_runs))


def build_weeks_csv(data: Dashboard) -> str:
    rows = [
        (
            week.day.isoformat(),
            round(week.distance_m, 1),
            week.runs,
            len(week.moods),
            None if mean_mood is None else round(mean_mood, 3),
        )
        for week, mean_mood in zip(
            data.weeks, map(compute_mean_mood, data.weeks), strict=True
        )
    ]
    return write_csv(("week_of", "distance_m", "runs", "answers", "mean_mood"), rows)


def build_panels_csv(panels: Sequence["Panel"]) -> str:
    """Return a row for each panel: fixed in advance, then of two groups, then links."""
    fixed = [panel for panel in panels if not panel.is_exploratory and panel.sides]
    explored = [panel for panel in panels if panel.is_exploratory]
    rows = []
    drawn = [build_drawn_delays(panel) for panel in explored if panel.delays]
    all_rows: Sequence[PanelRow | DelayRow] = (
        *build_difference_rows(fixed),
        *build_difference_rows([panel for panel in explored if panel.sides]),
        *build_link_rows(
            [panel for panel in explored if not panel.sides and not panel.delays]
        ),
        *(view.question for view in drawn),
        *(row for view in drawn for row in view.delays),
    )
    for row in all_rows:
        interval = row.interval
        values: Sequence[float | None] = (None,) * 5
        if interval is not None:
            values = [
                round(value, 4) if isfinite(value) else None
                for value in (
                    interval.center,
                    interval.low,
                    interval.high,
                    interval.words_low,
                    interval.words_high,
                )
            ]
        rows.append((row.title, row.answers, *values, row.sentence))
    return write_csv(
        (
            *("question", "answers", "value", "low", "high"),
            *("words_low", "words_high", "sentence"),
        ),
        rows,
    )


def build_json(data: Dashboard, annotations: RunAnnotations) -> str:
    """Return all numbers as JSON text."""
    runs = encode_rows(
        RUN_COLUMNS, (list_run_values(run, annotations[run.id]) for run in data.runs)
    )
    answers = encode_rows(ANSWER_COLUMNS, map(list_answer_values, data.answered_runs))
    left_out = encode_rows(RUN_COLUMNS, map(list_left_out_values, data.left_out))
    rest = dump_json(
        {
            "weeks": [
                {
                    "week_of": week.day.isoformat(),
                    "distance_m": week.distance_m,
                    "runs": week.runs,
                    "moods": week.moods,
                }
                for week in data.weeks
            ],
            "asked": sum(
                annotations[run_id].has_survey for run_id in data.runs.stored.id
            ),
            "answered": data.answered_count,
        }
    )
    return f'{{"runs":[{runs}],"left_out":[{left_out}],"answers":[{answers}],{rest[1:]}'


def encode_rows(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return the rows as JSON objects, with a comma between two.

    One call of `json` holds up every other thread: it gets a batch at a time.
    """
    objects = (dict(zip(columns, row, strict=True)) for row in rows)
    batches = iter(lambda: list(islice(objects, _ROWS_AT_ONCE)), [])
    return ",".join([dump_json(batch)[1:-1] for batch in batches])


def dump_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def list_run_values(run: RunRow, annotation: RunAnnotation) -> Sequence[object]:
    started = run.started_local
    return (
        run.id,
        annotation.strava_id,
        annotation.sport,
        run.local_day.isoformat(),
        f"{started:%H:%M}" if started else None,
        round(run.distance_m, 1),
        run.moving_s,
        round(run.week_m, 1),
        run.treadmill,
        run.race,
        run.with_others,
        run.manual,
        annotation.verdict
        if annotation.verdict == DecisionVerdict.SEND
        else annotation.reason,
        run.mood,
        None if run.mood is None else MOOD_LABELS[run.mood],
        "elapsed" if run.is_timed_by_elapsed else "moving",
    )


def list_left_out_values(run: LeftOutRun) -> Sequence[object]:
    """Return the values of a run that no figure counts, with the reason."""
    return (
        run.id,
        run.strava_id,
        run.sport,
        run.local_day.isoformat(),
        f"{run.started_local:%H:%M}" if run.started_local else None,
        round(run.distance_m, 1),
        run.moving_s,
        None,
        run.treadmill,
        run.race,
        run.with_others,
        run.manual,
        run.reason,
        None,
        None,
        None,
    )


def list_answer_values(run: RunRow) -> Sequence[object]:
    return (
        run.id,
        run.local_day.isoformat(),
        run.answered_minutes_after,
        run.mood,
        None if run.mood is None else MOOD_LABELS[run.mood],
        round(run.about_m, 1),
        round(run.week_m, 1),
        *(run.answer_values.get(question.key) for question in OPTIONAL_QUESTIONS),
    )


def csv_response(text: str, name: str) -> Response:
    return Response(
        text,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
