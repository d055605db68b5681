"""The dashboard as its template shows it: numbers in the runner's own unit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from math import isnan

from sync.analytics.dataset.overview import Dashboard
from sync.analytics.dataset.run_rows import RunRow, RunTable
from web.dashboard.context import DashboardContext
from web.dashboard.filters import RunFilter, select_page
from web.dashboard.findings import DashboardFindings
from web.dashboard.run_links import RunGroup, find_run_group
from web.dashboard.run_views import RunView, build_run_view
from web.dashboard.texts import MIN_ANSWERS_FOR_HEADLINE, Headline, build_stage_headline
from web.formats import Unit, format_distance, mood_label, mood_to_tile

_LATEST_COUNT = 3


@dataclass(frozen=True, slots=True)
class LastWeek:
    """The last seven days; `usual` is empty for whoever has run for under 8 weeks."""

    distance: str
    usual_distance: str
    runs: int
    mood: str
    runs_url: str


@dataclass(frozen=True, slots=True)
class RunListPage:
    """One page of the runs that were asked for; `what` they are, if a number's."""

    description: str
    runs: Sequence[RunView]
    count: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class DashboardView:
    headline: Headline
    runs: int
    answers: int
    first_look: int
    to_answer: RunView | None
    week: LastWeek
    latest: Sequence[RunView]
    all_runs: RunListPage
    unit: Unit


def build_dashboard_view(
    data: Dashboard,
    findings: DashboardFindings | None,
    *,
    run_filter: RunFilter,
    context: DashboardContext,
    is_importing: bool = False,
) -> DashboardView:
    unit = context.unit
    run_group = find_run_group(findings.panels, run_filter.group) if findings else None
    group_runs = _select_group(data.runs, run_group)
    page_runs, count, page_count = select_page(group_runs, run_filter, unit)
    latest, answerable_runs = (
        data.runs[: -_LATEST_COUNT - 1 : -1],
        _select_answerable(data.runs),
    )
    views = _build_run_views([*page_runs, *latest, *answerable_runs], context)
    return DashboardView(
        headline=_build_headline(data, findings, is_importing=is_importing),
        runs=len(data.runs),
        answers=len(data.answered_runs),
        first_look=MIN_ANSWERS_FOR_HEADLINE,
        to_answer=views[answerable_runs[-1].id] if answerable_runs else None,
        week=_build_last_week(data, unit),
        latest=[views[run.id] for run in latest],
        all_runs=RunListPage(
            description=run_group.description if run_group else "",
            runs=[views[run.id] for run in page_runs],
            count=count,
            page=min(max(1, run_filter.page), page_count),
            pages=page_count,
        ),
        unit=unit,
    )


def _select_group(runs: RunTable, run_group: RunGroup | None) -> RunTable:
    """Return the runs to list: of a number of the figures only those `behind` it."""
    if run_group is None:
        return runs
    return runs.select([run_id in run_group.run_ids for run_id in runs.stored.id])


def _select_answerable(runs: RunTable) -> list[RunRow]:
    """Return the runs that can still be answered and were not."""
    columns = zip(runs.derived.can_answer, runs.derived.mood, strict=True)
    return [
        runs[index]
        for index, (can_answer, mood) in enumerate(columns)
        if can_answer and mood is None
    ]


def _build_run_views(
    runs: Sequence[RunRow], context: DashboardContext
) -> dict[int, RunView]:
    annotations = context.load_annotations([run.id for run in runs])
    return {
        run.id: build_run_view(run, annotations[run.id], context.unit) for run in runs
    }


def _build_headline(
    data: Dashboard, findings: DashboardFindings | None, *, is_importing: bool
) -> Headline:
    """Take the figures' own sentence once there is enough for a first look."""
    runs, answers = len(data.runs), len(data.answered_runs)
    stage_headline = build_stage_headline(runs, answers, is_importing=is_importing)
    if findings is None or answers < MIN_ANSWERS_FOR_HEADLINE:
        return stage_headline
    return replace(stage_headline, title=findings.title, text=findings.text)


def _build_last_week(data: Dashboard, unit: Unit) -> LastWeek:
    since = data.today - timedelta(days=6)
    recent_runs = [run for run in data.runs.since(since) if run.local_day <= data.today]
    moods = data.answered_runs.derived.mood
    usual_m = data.usual_week_m
    return LastWeek(
        distance=format_distance(sum(run.distance_m for run in recent_runs), unit),
        usual_distance="" if isnan(usual_m) else format_distance(usual_m, unit),
        runs=len(recent_runs),
        mood=mood_label(mood_to_tile(moods[-1] or 0)) if moods else "–",
        runs_url=f"{RunFilter(since=since).address()}#all-runs",
    )
