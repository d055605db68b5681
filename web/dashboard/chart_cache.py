"""What is drawn of a runner's runs: the same until their data change, so kept."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from sync.analytics.dataset.cache import Kept
from sync.analytics.dataset.overview import Dashboard
from sync.analytics.dataset.run_rows import RunTable
from sync.language import spoken
from web.dashboard.context import Owner
from web.dashboard.filters import ALWAYS, Wanted, first_day, within
from web.dashboard.findings import Findings
from web.dashboard.main_charts import Chart, charts, read_outs
from web.dashboard.mood_distribution import Felt, felt
from web.dashboard.weeks import WeeksView, weeks_view
from web.dashboard.year import YearView, year_view

_MOST_KEPT = 32
# A page with more dots is lighter without what each of them says when touched.
_MOST_READ_OUTS = 1_000


@dataclass(frozen=True, slots=True)
class Drawn:
    """Every picture of one period.

    `read_outs` is JSON for the script; None if there are so many that it asks for
    them when a chart is first touched.
    """

    charts: Sequence[Chart]
    read_outs: Markup | None
    felt: Felt | None
    weeks: WeeksView
    year: YearView


def drawn(
    data: Dashboard, found: Findings | None, *, period: str, owner: Owner
) -> Drawn:
    """Draw everything about one period, or take it from memory."""
    key = (owner.runner_id, data.state, (data.today, owner.unit, spoken(), period))
    db = owner.runtime.db
    kept = KEPT.find(db, key)
    if kept is None:
        kept = draw(data, found, period=period, owner=owner)
        KEPT.keep(db, key, kept)
    return kept


def draw(
    data: Dashboard, found: Findings | None, *, period: str, owner: Owner
) -> Drawn:
    shown, wanted = within(data, period), Wanted(period=period)
    unit = owner.unit
    answered = shown.answered_runs
    counted = replace(wanted, since=first_day(data, period))
    # The line is about all answers, so it stands only over all of them.
    lines = found if period == ALWAYS else None
    return Drawn(
        charts=charts(answered, unit, lines) if data.answered_runs else (),
        read_outs=_read_outs(answered, owner),
        felt=felt(answered, unit, counted),
        weeks=weeks_view(shown.weeks, unit, wanted),
        year=year_view(data, unit),
    )


def _read_outs(answered: RunTable, owner: Owner) -> Markup | None:
    if len(answered) > _MOST_READ_OUTS:
        return None
    return read_outs(answered, owner.asides(answered.stored.id), owner.unit)


KEPT: Kept[Drawn] = Kept(_MOST_KEPT)
