"""What is drawn of a runner's runs: the same until their data change, so kept."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from sync.analytics.kept import Kept
from sync.analytics.overview import Dashboard
from sync.database import Database
from sync.language import spoken
from web.dashboard.felt import Felt, felt
from web.dashboard.findings import Findings
from web.dashboard.main_charts import Chart, charts, read_outs
from web.dashboard.wanted import ALWAYS, Wanted, first_day, within
from web.dashboard.weeks import WeeksView, weeks_view
from web.dashboard.year import YearView, year_view
from web.formats import Unit

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


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose pictures these are, and where they are remembered."""

    db: Database
    runner_id: int


def drawn(
    data: Dashboard, unit: Unit, found: Findings | None, *, period: str, owner: Owner
) -> Drawn:
    """Draw everything about one period, or take it from memory."""
    key = (owner.runner_id, data.state, (data.today, unit, spoken(), period))
    kept = KEPT.find(owner.db, key)
    if kept is None:
        kept = draw(data, unit, found, period=period)
        KEPT.keep(owner.db, key, kept)
    return kept


def draw(data: Dashboard, unit: Unit, found: Findings | None, *, period: str) -> Drawn:
    shown, wanted = within(data, period), Wanted(period=period)
    answered = shown.answered_runs
    counted = replace(wanted, since=first_day(data, period))
    # The line is about all answers, so it stands only over all of them.
    lines = found if period == ALWAYS else None
    return Drawn(
        charts=charts(answered, unit, lines) if data.answered_runs else (),
        read_outs=(
            read_outs(answered, unit) if len(answered) <= _MOST_READ_OUTS else None
        ),
        felt=felt(answered, unit, counted),
        weeks=weeks_view(shown.weeks, unit, wanted),
        year=year_view(data, unit),
    )


KEPT: Kept[Drawn] = Kept(_MOST_KEPT)
