"""Counts of rows, due work and Strava's budget in Prometheus' format; no ids."""

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
from sync.work_status import WorkStatus

_COUNTED_TABLES: dict[str, type[Model]] = {
    "runners": Runner,
    "connections": Connection,
    "runs": Run,
    "surveys": Survey,
    "answers": Answer,
    "mails": Mail,
    "events": Event,
    "backfills": Backfill,
}


def render_metrics(runtime: Runtime) -> bytes:
    """Return the current numbers; no state survives a call."""
    metrics = MetricSet()
    with runtime.db.read_only() as session:
        rows = {
            name: session.scalar(select(func.count()).select_from(model)) or 0
            for name, model in _COUNTED_TABLES.items()
        }
    metrics.add_labelled_gauge("moodmiles_rows", "Rows stored.", "table", rows)
    metrics.add_work_status(work_status.read_status(runtime))
    metrics.add_budget(runtime.strava.budget_state())
    return generate_latest(metrics.registry)


class MetricSet:
    """The numbers of one exposition."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

    def add_gauge(self, name: str, meaning: str, value: float) -> None:
        Gauge(name, meaning, registry=self.registry).set(value)

    def add_labelled_gauge(
        self, name: str, meaning: str, label: str, values: Mapping[str, float]
    ) -> None:
        gauge = Gauge(name, meaning, [label], registry=self.registry)
        for label_value, value in values.items():
            gauge.labels(label_value).set(value)

    def add_work_status(self, status: WorkStatus) -> None:
        self.add_labelled_gauge(
            "moodmiles_due", "Rows that are due.", "work", status.due
        )
        self.add_labelled_gauge(
            "moodmiles_oldest_due_seconds",
            "How long the oldest due row has waited.",
            "work",
            status.late_s,
        )
        self.add_gauge(
            "moodmiles_parked_events",
            "Events given up.",
            sum(status.failed_events.values()),
        )
        self.add_gauge(
            "moodmiles_set_aside_records",
            "Records of Strava's not understood.",
            sum(status.quarantined.values()),
        )
        self.add_gauge(
            "moodmiles_set_aside_work",
            "Other work given up, and tried once a day.",
            sum(status.failed_work.values()),
        )
        self.add_gauge(
            "moodmiles_stopped_sweeps",
            "Comparisons with Strava that were not believed.",
            status.stopped_reconciles,
        )
        self.add_gauge(
            "moodmiles_broken_connections",
            "Runners whose link to Strava is broken.",
            status.broken_links,
        )
        self.add_labelled_gauge(
            "moodmiles_noted",
            "How often something odd happened.",
            "what",
            status.counters,
        )

    def add_budget(self, state: BudgetState) -> None:
        labels = ["window", "kind"]
        used, limit = (
            Gauge(
                f"moodmiles_strava_requests_{name}",
                meaning,
                labels,
                registry=self.registry,
            )
            for name, meaning in (
                ("used", "Requests that Strava has counted in this window."),
                ("limit", "Requests that Strava allows in this window."),
            )
        )
        for meter in state.meters:
            used.labels(meter.window, meter.kind).set(meter.used)
            limit.labels(meter.window, meter.kind).set(meter.limit)
        paused_until = state.paused_until
        self.add_gauge(
            "moodmiles_strava_paused_until_seconds",
            "When Strava may be asked again, since 1970; 0 for now.",
            paused_until.timestamp() if paused_until else 0,
        )
        self.add_gauge(
            "moodmiles_strava_budget_shared",
            "Whether all processes share one count (1) or Redis is away (0).",
            state.is_shared,
        )
