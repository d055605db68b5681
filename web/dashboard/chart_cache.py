"""What is drawn of a runner's runs: the same until their data change, so kept."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from sync.analytics.dataset.cache import RunnerCache
from sync.analytics.dataset.overview import Dashboard
from sync.analytics.dataset.run_rows import RunTable
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
# A page with more dots is lighter without what each of them says when touched.
_MAX_INLINE_READ_OUTS = 1_000


@dataclass(frozen=True, slots=True)
class DashboardCharts:
    """Every picture of one period.

    `read_outs` is JSON for the script; None if there are so many that it asks for
    them when a chart is first touched.
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
    """Draw everything about one period, or take it from memory."""
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
    return DashboardCharts(
        charts=draw_mood_charts(answered_runs, unit, line_findings)
        if data.answered_runs
        else (),
        read_outs=_render_inline_read_outs(answered_runs, context),
        mood_distribution=build_mood_distribution(answered_runs, unit, answered_filter),
        weeks=build_weeks_view(period_data.weeks, unit, run_filter),
        year=build_year_view(data, unit),
    )


def _render_inline_read_outs(
    answered_runs: RunTable, context: DashboardContext
) -> Markup | None:
    if len(answered_runs) > _MAX_INLINE_READ_OUTS:
        return None
    return render_read_outs(
        answered_runs, context.load_annotations(answered_runs.stored.id), context.unit
    )


CHART_CACHE: RunnerCache[DashboardCharts] = RunnerCache(_CACHE_SIZE)
