"""How much there is of everything, in Prometheus' format: counts, never ids."""

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select

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
from web.health.checks import DUE, lateness

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
    registry = CollectorRegistry()
    rows = Gauge("moodmiles_rows", "Rows stored.", ["table"], registry=registry)
    due = Gauge("moodmiles_due", "Rows that are due.", ["work"], registry=registry)
    late = Gauge(
        "moodmiles_oldest_due_seconds",
        "How long the oldest due row has waited.",
        ["work"],
        registry=registry,
    )
    parked = Gauge("moodmiles_parked_events", "Events set aside.", registry=registry)
    with runtime.db.reading() as session:
        now = runtime.db.now(session)
        for name, model in _TABLES.items():
            count = session.scalar(select(func.count()).select_from(model))
            rows.labels(name).set(count or 0)
        for work, due_at in DUE.items():
            count = session.scalar(select(func.count()).where(due_at <= now))
            due.labels(work).set(count or 0)
        for work, seconds in lateness(runtime, session).items():
            late.labels(work).set(seconds)
        aside = select(func.count()).where(Event.parked_for.is_not(None))
        parked.set(session.scalar(aside) or 0)
    return generate_latest(registry)
