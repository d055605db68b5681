"""Misses of events and of runners' links; no words of runners in stored events."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BATCH_SIZE = 1000
_KEPT_FIELDS = ("type", "private", "authorized")
_EVENT = sa.table(
    "event", sa.column("id", sa.BigInteger), sa.column("updates", sa.JSON)
)
_IS_WAITING = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    for table in ("event", "connection"):
        op.add_column(
            table,
            sa.Column("misses", sa.Integer(), server_default="0", nullable=False),
        )
    for name in ("missed_since", "held_until"):
        column = sa.Column(name, sa.DateTime(timezone=True), nullable=True)
        op.add_column("connection", column)
    op.create_index(
        "ix_event_athlete_id_waiting",
        "event",
        ["athlete_id"],
        postgresql_where=_IS_WAITING,
        sqlite_where=_IS_WAITING,
    )
    _remove_titles()


def _remove_titles() -> None:
    """Leave in each event the fields that we act on; a title is a runner's words."""
    bind = op.get_bind()
    last_id = 0
    while rows := bind.execute(
        sa.select(_EVENT)
        .where(_EVENT.c.id > last_id)
        .order_by(_EVENT.c.id)
        .limit(_BATCH_SIZE)
    ).all():
        last_id = rows[-1].id
        for row in rows:
            kept = {key: row.updates[key] for key in _KEPT_FIELDS if key in row.updates}
            if kept != row.updates:
                bind.execute(
                    sa.update(_EVENT).where(_EVENT.c.id == row.id).values(updates=kept)
                )


def downgrade() -> None:
    op.drop_index("ix_event_athlete_id_waiting", "event")
    for name in ("held_until", "missed_since", "misses"):
        op.drop_column("connection", name)
    op.drop_column("event", "misses")
