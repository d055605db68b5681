"""The numbers behind the dashboard, as CSV and as plain values for JSON."""

import csv
import io
from collections.abc import Iterable, Sequence
from math import isfinite, nan

from flask import Response

from sync.analytics.dataset.overview import Dashboard
from sync.analytics.dataset.run_annotations import Aside, Asides
from sync.analytics.dataset.run_rows import RunRow
from sync.surveys.instruments import OPTIONAL
from web.dashboard.findings import Findings
from web.formats import MOODS

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
)
ANSWER_COLUMNS = (
    "run_id",
    "local_date",
    "minutes_after_run",
    "mood",
    "mood_label",
    "distance_m",
    "distance_7d_m",
    *(question.key for question in OPTIONAL),
)
_NO_ENDS = (nan, nan, nan)
# A spreadsheet would take a text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def runs_csv(data: Dashboard, asides: Asides) -> str:
    return to_csv(RUN_COLUMNS, [run_values(run, asides[run.id]) for run in data.runs])


def answers_csv(data: Dashboard) -> str:
    return to_csv(ANSWER_COLUMNS, map(answer_values, data.answered_runs))


def weeks_csv(data: Dashboard) -> str:
    rows = [
        (
            week.day.isoformat(),
            round(week.distance_m, 1),
            week.runs,
            len(week.moods),
            round(sum(week.moods) / len(week.moods), 3) if week.moods else None,
        )
        for week in data.weeks
    ]
    return to_csv(("week_of", "distance_m", "runs", "answers", "mean_mood"), rows)


def panels_csv(found: Findings) -> str:
    rows = [
        (row.title, row.answers, *map(_plain, row.ends or _NO_ENDS), row.sentence)
        for row in (*found.others, *found.differences, *found.links)
    ]
    return to_csv(("question", "answers", "value", "low", "high", "sentence"), rows)


def _plain(value: float) -> float | None:
    return round(value, 4) if isfinite(value) else None


def as_json(data: Dashboard, asides: Asides) -> dict[str, object]:
    return {
        "runs": [
            dict(zip(RUN_COLUMNS, run_values(run, asides[run.id]), strict=True))
            for run in data.runs
        ],
        "answers": [
            dict(zip(ANSWER_COLUMNS, answer_values(run), strict=True))
            for run in data.answered_runs
        ],
        "weeks": [
            {
                "week_of": week.day.isoformat(),
                "distance_m": week.distance_m,
                "runs": week.runs,
                "moods": week.moods,
            }
            for week in data.weeks
        ],
        "asked": sum(asides[run_id].asked for run_id in data.runs.stored.id),
        "answered": data.answered,
    }


def run_values(run: RunRow, aside: Aside) -> Sequence[object]:
    started = run.started_local
    return (
        run.id,
        aside.strava_id,
        aside.sport,
        run.local_day.isoformat(),
        f"{started:%H:%M}" if started else None,
        round(run.distance_m, 1),
        run.moving_s,
        round(run.week_m, 1),
        run.treadmill,
        run.race,
        run.with_others,
        run.manual,
        aside.verdict if aside.verdict == "send" else aside.reason,
        run.mood,
        None if run.mood is None else MOODS[run.mood],
    )


def answer_values(run: RunRow) -> Sequence[object]:
    return (
        run.id,
        run.local_day.isoformat(),
        run.answered_minutes_after,
        run.mood,
        None if run.mood is None else MOODS[run.mood],
        round(run.about_m, 1),
        round(run.week_m, 1),
        *(run.said.get(question.key) for question in OPTIONAL),
    )


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def csv_file(text: str, name: str) -> Response:
    return Response(
        text,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
