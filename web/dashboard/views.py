"""The dashboard as its template shows it: numbers in the runner's own unit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from math import isnan

from sync.analytics.dataset.distances import usual_week
from sync.analytics.dataset.overview import Dashboard
from sync.analytics.dataset.run_rows import RunRow, RunTable
from web.dashboard.context import Owner
from web.dashboard.filters import Wanted, page_of
from web.dashboard.findings import Findings
from web.dashboard.run_links import Counted, counted
from web.dashboard.run_views import RunView, run_view
from web.dashboard.texts import FIRST_LOOK, Headline, headline
from web.formats import Unit, distance, tile, word

_LATEST = 3


@dataclass(frozen=True, slots=True)
class Week:
    """The last seven days; `usual` is empty for whoever has run for under 8 weeks."""

    distance: str
    usual: str
    runs: int
    mood: str
    runs_at: str


@dataclass(frozen=True, slots=True)
class AllRuns:
    """One page of the runs that were asked for; `what` they are, if a number's."""

    what: str
    runs: Sequence[RunView]
    count: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class DashboardView:
    head: Headline
    runs: int
    answers: int
    first_look: int
    to_answer: RunView | None
    week: Week
    latest: Sequence[RunView]
    all_runs: AllRuns
    unit: Unit


def view_of(
    data: Dashboard,
    found: Findings | None,
    *,
    wanted: Wanted,
    owner: Owner,
    is_importing: bool = False,
) -> DashboardView:
    unit = owner.unit
    behind = counted(found.panels, wanted.group) if found else None
    among = _among(data.runs, behind)
    listed, count, pages = page_of(among, wanted, unit)
    latest, waiting = data.runs[: -_LATEST - 1 : -1], _waiting(data.runs)
    views = _run_views([*listed, *latest, *waiting], owner)
    return DashboardView(
        head=_head(data, found, is_importing=is_importing),
        runs=len(data.runs),
        answers=len(data.answered_runs),
        first_look=FIRST_LOOK,
        to_answer=views[waiting[-1].id] if waiting else None,
        week=_last_week(data, unit),
        latest=[views[run.id] for run in latest],
        all_runs=AllRuns(
            what=behind.what if behind else "",
            runs=[views[run.id] for run in listed],
            count=count,
            page=min(max(1, wanted.page), pages),
            pages=pages,
        ),
        unit=unit,
    )


def _among(runs: RunTable, behind: Counted | None) -> RunTable:
    """Return the runs to list: of a number of the figures only those `behind` it."""
    if behind is None:
        return runs
    return runs.only([run_id in behind.run_ids for run_id in runs.stored.id])


def _waiting(runs: RunTable) -> list[RunRow]:
    """Return the runs that can still be answered and were not."""
    columns = zip(runs.derived.can_answer, runs.derived.mood, strict=True)
    return [
        runs[place]
        for place, (can_answer, mood) in enumerate(columns)
        if can_answer and mood is None
    ]


def _run_views(shown: Sequence[RunRow], owner: Owner) -> dict[int, RunView]:
    asides = owner.asides([run.id for run in shown])
    return {run.id: run_view(run, asides[run.id], owner.unit) for run in shown}


def _head(data: Dashboard, found: Findings | None, *, is_importing: bool) -> Headline:
    """Take the figures' own sentence once there is enough for a first look."""
    runs, answers = len(data.runs), len(data.answered_runs)
    plain = headline(runs, answers, is_importing=is_importing)
    if found is None or answers < FIRST_LOOK:
        return plain
    return replace(plain, title=found.title, text=found.text)


def _last_week(data: Dashboard, unit: Unit) -> Week:
    since = data.today - timedelta(days=6)
    lately = [run for run in data.runs.since(since) if run.local_day <= data.today]
    moods = data.answered_runs.derived.mood
    runs = data.runs.stored
    usual_m = usual_week(runs.local_day, runs.distance_m, data.today.toordinal())
    return Week(
        distance=distance(sum(run.distance_m for run in lately), unit),
        usual="" if isnan(usual_m) else distance(usual_m, unit),
        runs=len(lately),
        mood=word(tile(moods[-1] or 0)) if moods else "–",
        runs_at=f"{Wanted(since=since).address()}#all-runs",
    )
