"""How much there is of everything, in Prometheus' format: counts, never ids."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select

from sync import work_status
from sync.models import (
    Answer,
    Backfill,
    Connection,
    Event,
    Mail,
    Model,
    Run,
    Runner,
    Survey,
)
from sync.runtime import Runtime
from sync.strava import BudgetState
from sync.work_status import Condition

_TABLES: dict[str, type[Model]] = {
    "runners": Runner,
    "connections": Connection,
    "runs": Run,
    "surveys": Survey,
    "answers": Answer,
    "mails": Mail,
    "events": Event,
    "backfills": Backfill,
}


def exposition(runtime: Runtime) -> bytes:
    """Return the numbers as they are now; nothing is kept between two calls."""
    board = _Board()
    with runtime.db.reading() as session:
        rows = {
            name: session.scalar(select(func.count()).select_from(model)) or 0
            for name, model in _TABLES.items()
        }
    board.each("moodmiles_rows", "Rows stored.", "table", rows)
    _work(board, work_status.look(runtime))
    _budget(board, runtime.strava.budget_state())
    return generate_latest(board.registry)


class _Board:
    """The numbers of one exposition."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

    def one(self, name: str, meaning: str, value: float) -> None:
        Gauge(name, meaning, registry=self.registry).set(value)

    def each(
        self, name: str, meaning: str, label: str, values: Mapping[str, float]
    ) -> None:
        gauge = Gauge(name, meaning, [label], registry=self.registry)
        for what, value in values.items():
            gauge.labels(what).set(value)


def _work(board: _Board, found: Condition) -> None:
    board.each("moodmiles_due", "Rows that are due.", "work", found.due)
    board.each(
        "moodmiles_oldest_due_seconds",
        "How long the oldest due row has waited.",
        "work",
        found.late_s,
    )
    given_up, aside = sum(found.given_up.values()), sum(found.set_aside.values())
    board.one("moodmiles_parked_events", "Events given up.", given_up)
    board.one(
        "moodmiles_set_aside_records", "Records of Strava's not understood.", aside
    )
    board.one(
        "moodmiles_stopped_sweeps",
        "Comparisons with Strava that were not believed.",
        found.stopped_sweeps,
    )
    board.one(
        "moodmiles_broken_connections",
        "Runners whose link to Strava is broken.",
        found.broken_links,
    )
    board.each(
        "moodmiles_noted", "How often something odd happened.", "what", found.oddities
    )


def _budget(board: _Board, state: BudgetState) -> None:
    labels = ["window", "kind"]
    used, limit = (
        Gauge(
            f"moodmiles_strava_requests_{name}",
            meaning,
            labels,
            registry=board.registry,
        )
        for name, meaning in (
            ("used", "Requests that Strava has counted in this window."),
            ("limit", "Requests that Strava allows in this window."),
        )
    )
    for meter in state.meters:
        used.labels(meter.window, meter.kind).set(meter.used)
        limit.labels(meter.window, meter.kind).set(meter.limit)
    until = state.paused_until
    board.one(
        "moodmiles_strava_paused_until_seconds",
        "When Strava may be asked again, since 1970; 0 for now.",
        until.timestamp() if until else 0,
    )
    board.one(
        "moodmiles_strava_budget_shared",
        "Whether all processes share one count (1) or Redis is away (0).",
        state.shared,
    )
