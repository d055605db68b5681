"""The drawn charts of a runner, cached until their data change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from sync.analytics.dataset.cache import RunnerCache
from sync.analytics.dataset.overview import Dashboard
from sync.language import current_language
from web.dashboard.context import DashboardContext
from web.dashboard.filters import (
    ALL_TIME,
    RunFilter,
    find_period_start,
    limit_to_period,
)
from web.dashboard.findings import DashboardFindings
from web.dashboard.main_charts import MoodChart, draw_mood_charts, render_read_outs
from web.dashboard.mood_distribution import MoodDistribution, build_mood_distribution
from web.dashboard.weeks import WeeksView, build_weeks_view
from web.dashboard.year import YearView, build_year_view

_CACHE_SIZE = 32
# A page with more dots comes without their read-outs.
_MAX_INLINE_READ_OUTS = 1_000


@dataclass(frozen=True, slots=True)
class DashboardCharts:
    """All charts of one period.

    `read_outs` is JSON for the script; None if they are so many that the script asks
    for them when a chart is first touched.
    """

    charts: Sequence[MoodChart]
    read_outs: Markup | None
    mood_distribution: MoodDistribution | None
    weeks: WeeksView
    year: YearView


def load_charts(
    data: Dashboard,
    findings: DashboardFindings | None,
    *,
    period: str,
    context: DashboardContext,
) -> DashboardCharts:
    """Return the charts of one period, from the cache where they are."""
    key = (
        context.runner_id,
        data.state,
        (data.today, context.unit, current_language(), period),
    )
    db = context.runtime.db
    dashboard_charts = CHART_CACHE.get(db, key)
    if dashboard_charts is None:
        dashboard_charts = draw_charts(data, findings, period=period, context=context)
        CHART_CACHE.put(db, key, dashboard_charts)
    return dashboard_charts


def draw_charts(
    data: Dashboard,
    findings: DashboardFindings | None,
    *,
    period: str,
    context: DashboardContext,
) -> DashboardCharts:
    period_data, run_filter = limit_to_period(data, period), RunFilter(period=period)
    unit = context.unit
    answered_runs = period_data.answered_runs
    answered_filter = replace(run_filter, since=find_period_start(data, period))
    # The line is about all answers, so it stands only over all of them.
    line_findings = findings if period == ALL_TIME else None
    charts: Sequence[MoodChart] = ()
    if data.answered_runs:
        charts = draw_mood_charts(answered_runs, unit, line_findings)
    read_outs = None
    if len(answered_runs) <= _MAX_INLINE_READ_OUTS:
        annotations = context.load_annotations(answered_runs.stored.id)
        read_outs = render_read_outs(answered_runs, annotations, unit)
    return DashboardCharts(
        charts=charts,
        read_outs=read_outs,
        mood_distribution=build_mood_distribution(answered_runs, unit, answered_filter),
        weeks=build_weeks_view(period_data.weeks, unit, run_filter),
        year=build_year_view(data, unit),
    )


CHART_CACHE: RunnerCache[DashboardCharts] = RunnerCache(_CACHE_SIZE)
