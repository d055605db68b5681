"""The dashboard as its template shows it: numbers in the runner's own unit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sync.analytics.overview import Dashboard
from sync.analytics.run_rows import RunRow, RunTable
from web.dashboard.counted import Counted, counted
from web.dashboard.findings import Findings
from web.dashboard.run_views import RunView, run_view
from web.dashboard.wanted import Wanted, page_of
from web.dashboard.words import FIRST_LOOK, Headline, headline
from web.formats import Unit, distance, tile, word

_LATEST = 3


@dataclass(frozen=True, slots=True)
class Week:
    distance: str
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
    unit: Unit,
    found: Findings | None,
    *,
    wanted: Wanted,
    is_importing: bool = False,
) -> DashboardView:
    behind = counted(found.panels, wanted.group) if found else None
    waiting = _waiting(data.runs)
    return DashboardView(
        head=_head(data, found, is_importing=is_importing),
        runs=len(data.runs),
        answers=len(data.answered_runs),
        first_look=FIRST_LOOK,
        to_answer=run_view(waiting, unit) if waiting else None,
        week=_last_week(data, unit),
        latest=[run_view(run, unit) for run in data.runs[: -_LATEST - 1 : -1]],
        all_runs=_all_runs(data.runs, unit, wanted, behind=behind),
        unit=unit,
    )


def _waiting(runs: RunTable) -> RunRow | None:
    """Return the latest run that can still be answered and was not."""
    columns = zip(runs.derived.can_answer, runs.derived.mood, strict=True)
    waiting = [n for n, (can, mood) in enumerate(columns) if can and mood is None]
    return runs[waiting[-1]] if waiting else None


def _all_runs(
    among: RunTable, unit: Unit, wanted: Wanted, *, behind: Counted | None
) -> AllRuns:
    """List the wanted runs; of a number of the figures only those `behind` it."""
    if behind:
        among = among.only([run_id in behind.run_ids for run_id in among.stored.id])
    runs, count, pages = page_of(among, wanted, unit)
    return AllRuns(
        what=behind.what if behind else "",
        runs=[run_view(run, unit) for run in runs],
        count=count,
        page=min(max(1, wanted.page), pages),
        pages=pages,
    )


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
    return Week(
        distance=distance(sum(run.distance_m for run in lately), unit),
        runs=len(lately),
        mood=word(tile(moods[-1] or 0)) if moods else "–",
        runs_at=f"{Wanted(since=since).address()}#all-runs",
    )
