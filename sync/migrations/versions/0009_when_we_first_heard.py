"""When we first heard of each run, and what that leaves of its times.

Runs that are here get what the rule of today says of them: what was planned for one
whose clock was ahead is taken back when the runs are next decided about.
"""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_BATCH_SIZE = 1000
_TOLERANCE = timedelta(minutes=10)
_EASTERNMOST_OFFSET = timedelta(hours=14)
_COLUMNS = ("first_seen_at", "clock_ahead", "trusted_elapsed_s")
_RUN = sa.table(
    "run",
    sa.column("id", sa.BigInteger),
    sa.column("runner_id", sa.BigInteger),
    sa.column("started_at", sa.DateTime(timezone=True)),
    sa.column("local_day", sa.Date),
    sa.column("moving_s", sa.Integer),
    sa.column("elapsed_s", sa.Integer),
    sa.column("fetched_at", sa.DateTime(timezone=True)),
    sa.column("first_seen_at", sa.DateTime(timezone=True)),
    sa.column("clock_ahead", sa.Boolean),
    sa.column("trusted_elapsed_s", sa.Integer),
    sa.column("hidden_at", sa.DateTime(timezone=True)),
    sa.column("duplicate_of", sa.BigInteger),
    sa.column("counted", sa.Boolean),
)
_DECISION = sa.table(
    "decision",
    sa.column("run_id", sa.BigInteger),
    sa.column("decided_at", sa.DateTime(timezone=True)),
)
_RUNNER = sa.table(
    "runner", sa.column("id", sa.BigInteger), sa.column("data_version", sa.Integer)
)


def upgrade() -> None:
    for column in (
        sa.Column(
            "first_seen_at",
            sa.DateTime(timezone=True),
            server_default="1970-01-01 00:00:00",
            nullable=False,
        ),
        sa.Column(
            "clock_ahead", sa.Boolean(), server_default=sa.false(), nullable=False
        ),
        sa.Column(
            "trusted_elapsed_s", sa.Integer(), server_default="0", nullable=False
        ),
    ):
        op.add_column("run", column)
    # A run that is read again is fetched anew, but decided about soon after it came.
    decided_at = (
        sa.select(_DECISION.c.decided_at)
        .where(
            _DECISION.c.run_id == _RUN.c.id,
            _DECISION.c.decided_at < _RUN.c.fetched_at,
        )
        .scalar_subquery()
    )
    op.execute(
        sa.update(_RUN).values(
            first_seen_at=sa.func.coalesce(decided_at, _RUN.c.fetched_at),
            trusted_elapsed_s=_RUN.c.elapsed_s,
        )
    )
    # SQLite takes a column that is never empty only with a value for the rows there,
    # and keeps it; no row is ever written without its own.
    if op.get_bind().dialect.name == "postgresql":
        for name in ("first_seen_at", "trusted_elapsed_s"):
            op.alter_column("run", name, server_default=None)
    _judge_clocks()
    _free_duplicates()


def _judge_clocks() -> None:
    """Judge each run as the product does when it stores one."""
    bind = op.get_bind()
    last_id, runner_ids = 0, set()
    while rows := bind.execute(
        sa.select(_RUN)
        .where(_RUN.c.id > last_id)
        .order_by(_RUN.c.id)
        .limit(_BATCH_SIZE)
    ).all():
        last_id = rows[-1].id
        for row in rows:
            is_ahead, elapsed_s = _judge(row)
            if is_ahead or elapsed_s != row.elapsed_s:
                bind.execute(
                    sa.update(_RUN)
                    .where(_RUN.c.id == row.id)
                    .values(clock_ahead=is_ahead, trusted_elapsed_s=elapsed_s)
                )
                runner_ids.add(row.runner_id)
    for runner_id in sorted(runner_ids):
        bind.execute(
            sa.update(_RUNNER)
            .where(_RUNNER.c.id == runner_id)
            .values(data_version=_RUNNER.c.data_version + 1)
        )


def _free_duplicates() -> None:
    """Let one recording count in place of each that is in no figure any more.

    In three steps, as SQLite sees the rows that a statement has changed already.
    """
    other = _RUN.alias("other")
    of_run_ahead = _RUN.c.duplicate_of.in_(
        sa.select(other.c.id).where(other.c.clock_ahead)
    )
    is_out = sa.or_(_RUN.c.clock_ahead, _RUN.c.hidden_at.is_not(None))
    first_ids = (
        sa.select(sa.func.min(_RUN.c.id))
        .where(of_run_ahead, ~is_out)
        .group_by(_RUN.c.duplicate_of)
    )
    first_id = (
        sa.select(sa.func.min(other.c.id))
        .where(
            other.c.duplicate_of == _RUN.c.duplicate_of,
            other.c.counted,
            ~other.c.clock_ahead,
            other.c.hidden_at.is_(None),
        )
        .scalar_subquery()
    )
    op.execute(
        sa.update(_RUN)
        .where(of_run_ahead, sa.or_(is_out, _RUN.c.id.in_(first_ids)))
        .values(counted=True)
    )
    op.execute(
        sa.update(_RUN)
        .where(of_run_ahead, ~_RUN.c.counted)
        .values(duplicate_of=first_id)
    )
    op.execute(sa.update(_RUN).where(of_run_ahead).values(duplicate_of=None))


def _judge(row: sa.Row[Any]) -> tuple[bool, int]:
    latest = row.first_seen_at + _TOLERANCE
    last_day = (latest + _EASTERNMOST_OFFSET).date()
    passed_s = int((latest - row.started_at).total_seconds())
    is_ahead = passed_s < 0 or row.local_day > last_day
    if row.elapsed_s <= passed_s:
        return is_ahead, row.elapsed_s
    since_start_s = int((row.first_seen_at - row.started_at).total_seconds())
    return is_ahead, max(0, min(row.moving_s, since_start_s))


def downgrade() -> None:
    for name in reversed(_COLUMNS):
        op.drop_column("run", name)
