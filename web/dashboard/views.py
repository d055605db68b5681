"""The dashboard as its template shows it: numbers in the runner's own unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import isnan

from sync.analytics.dataset.overview import Dashboard
from sync.analytics.dataset.run_rows import RunRow, RunTable
from sync.vocabulary import DistanceUnit, LinkStage
from web.dashboard.context import DashboardContext
from web.dashboard.filters import RunFilter, select_page
from web.dashboard.findings import DashboardFindings
from web.dashboard.headline import MIN_ANSWERS_FOR_HEADLINE, Headline, choose_headline
from web.dashboard.run_links import find_run_group
from web.dashboard.run_views import (
    LeftOutView,
    RunView,
    build_left_out_view,
    build_run_view,
)
from web.formats import format_distance, mood_label, mood_to_tile

_LATEST_COUNT = 3


@dataclass(frozen=True, slots=True)
class LastWeek:
    """The last seven days; `usual_distance` is empty for the first 8 weeks."""

    distance: str
    usual_distance: str
    runs: int
    mood: str
    runs_url: str


@dataclass(frozen=True, slots=True)
class RunListPage:
    """One page of the list of runs; `description` names the number behind it."""

    description: str
    runs: Sequence[RunView]
    count: int
    page: int
    pages: int
    left_out: Sequence[LeftOutView]


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
    unit: DistanceUnit


def build_dashboard_view(
    data: Dashboard,
    findings: DashboardFindings | None,
    *,
    run_filter: RunFilter,
    context: DashboardContext,
    link: LinkStage = LinkStage.LINKED,
) -> DashboardView:
    runs, unit = data.runs, context.unit
    run_group = find_run_group(findings.panels, run_filter.group) if findings else None
    group_runs = runs
    if run_group is not None:
        group_runs = runs.select([id_ in run_group.run_ids for id_ in runs.stored.id])
    page = select_page(group_runs, run_filter, unit)
    latest = runs[: -_LATEST_COUNT - 1 : -1]
    answerable = find_answerable_run(runs)
    shown_runs = [*page.runs, *latest, *([answerable] if answerable else [])]
    annotations = context.load_annotations([run.id for run in shown_runs])
    own_lines = context.load_own_lines(page.runs) if run_filter.notes else {}
    views = {
        run.id: build_run_view(
            run, annotations[run.id], unit, own_lines.get(run.id, "")
        )
        for run in shown_runs
    }
    answer_count = len(data.answered_runs)
    headline = choose_headline(len(runs), answer_count, findings, link)
    return DashboardView(
        headline=headline,
        runs=len(runs),
        answers=answer_count,
        first_look=MIN_ANSWERS_FOR_HEADLINE,
        to_answer=views[answerable.id] if answerable else None,
        week=build_last_week(data, unit),
        latest=[views[run.id] for run in latest],
        all_runs=RunListPage(
            description=run_group.description if run_group else "",
            runs=[views[run.id] for run in page.runs],
            count=page.count,
            page=page.page,
            pages=page.last_page,
            left_out=[build_left_out_view(run, unit) for run in data.left_out],
        ),
        unit=unit,
    )


def find_answerable_run(runs: RunTable) -> RunRow | None:
    """Return the latest run that can still be answered and was not.

    None while its question is to come at a drawn time: to ask before would undo the
    draw.
    """
    can_answer, moods = runs.derived.can_answer, runs.derived.mood
    for index in reversed(range(len(runs))):
        if can_answer[index] and moods[index] is None:
            return None if runs.derived.is_asked_later[index] else runs[index]
    return None


def build_last_week(data: Dashboard, unit: DistanceUnit) -> LastWeek:
    """Add up the seven days that end today."""
    since = data.today - timedelta(days=6)
    recent_runs = [run for run in data.runs.since(since) if run.local_day <= data.today]
    moods = data.answered_runs.derived.mood
    usual_m = data.usual_week_m
    return LastWeek(
        distance=format_distance(sum(run.distance_m for run in recent_runs), unit),
        usual_distance="" if isnan(usual_m) else format_distance(usual_m, unit),
        runs=len(recent_runs),
        mood=mood_label(mood_to_tile(moods[-1] or 0)) if moods else "–",
        runs_url=RunFilter(since=since).runs_url(),
    )
