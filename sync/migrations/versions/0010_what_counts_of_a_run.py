"""What counts of each run's reported times, and whether anybody can have run it.

Runs that are here get what the rule of today says of them.
"""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_BATCH_SIZE = 1000
_TOLERANCE = timedelta(minutes=10)
_MINUTE_S, _THREE_HOURS_S, _DAY_S, _WEEK_S = 60, 10_800, 86_400, 604_800
_COLUMNS = ("trusted_moving_s", "implausible")
_RUN = sa.table(
    "run",
    sa.column("id", sa.BigInteger),
    sa.column("runner_id", sa.BigInteger),
    sa.column("started_at", sa.DateTime(timezone=True)),
    sa.column("distance_m", sa.Float),
    sa.column("moving_s", sa.Integer),
    sa.column("elapsed_s", sa.Integer),
    sa.column("first_seen_at", sa.DateTime(timezone=True)),
    sa.column("clock_ahead", sa.Boolean),
    sa.column("trusted_elapsed_s", sa.Integer),
    sa.column("trusted_moving_s", sa.Integer),
    sa.column("implausible", sa.Boolean),
)
_RUNNER = sa.table(
    "runner", sa.column("id", sa.BigInteger), sa.column("data_version", sa.Integer)
)


def upgrade() -> None:
    for column in (
        sa.Column("trusted_moving_s", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "implausible", sa.Boolean(), server_default=sa.false(), nullable=False
        ),
    ):
        op.add_column("run", column)
    op.execute(sa.update(_RUN).values(trusted_moving_s=_RUN.c.moving_s))
    # SQLite takes a column that is never empty only with a value for the rows there,
    # and keeps it; no row is ever written without its own.
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("run", "trusted_moving_s", server_default=None)
    _judge_runs()


def _judge_runs() -> None:
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
            moving_s, elapsed_s, is_implausible = _judge(row)
            values = {
                "trusted_moving_s": moving_s,
                "trusted_elapsed_s": elapsed_s,
                "implausible": is_implausible,
            }
            if any(getattr(row, name) != value for name, value in values.items()):
                bind.execute(sa.update(_RUN).where(_RUN.c.id == row.id).values(values))
                runner_ids.add(row.runner_id)
    for runner_id in sorted(runner_ids):
        bind.execute(
            sa.update(_RUNNER)
            .where(_RUNNER.c.id == runner_id)
            .values(data_version=_RUNNER.c.data_version + 1)
        )


def _judge(row: sa.Row[Any]) -> tuple[int, int, bool]:
    """Return what counts of the time in motion and of the elapsed time, and a doubt."""
    moving_s, elapsed_s, distance_m = row.moving_s, row.elapsed_s, row.distance_m
    latest = row.first_seen_at + _TOLERANCE
    until_s = int((latest - row.started_at).total_seconds())
    since_start_s = int((row.first_seen_at - row.started_at).total_seconds())
    passed_s = elapsed_s
    if not row.clock_ahead and elapsed_s > until_s:
        passed_s = max(0, min(elapsed_s, since_start_s))
    duration_s, is_certain_error = moving_s or elapsed_s, True
    for margin in (1, 3):
        may_be_moving = _can_run(distance_m, moving_s, margin)
        may_be_elapsed = _can_run(distance_m, passed_s, margin)
        if may_be_moving or may_be_elapsed:
            is_moving = moving_s <= elapsed_s or not may_be_elapsed
            duration_s = moving_s if may_be_moving and is_moving else passed_s
            is_certain_error = False
            break
    is_reported = distance_m > 0 or duration_s > 0
    is_implausible = is_reported and is_certain_error
    is_pause_too_long = elapsed_s > _WEEK_S or (
        elapsed_s - duration_s > _DAY_S and elapsed_s > 10 * duration_s
    )
    trusted_s = duration_s if is_pause_too_long else max(elapsed_s, duration_s)
    if trusted_s > until_s:
        trusted_s = max(0, min(duration_s, since_start_s))
    return duration_s, trusted_s, is_implausible


def _can_run(distance_m: float, seconds: int, margin: int) -> bool:
    if not 0 < seconds <= _WEEK_S or (seconds > _DAY_S and distance_m < 0.1 * seconds):
        return False
    sprint_s = min(seconds, _MINUTE_S)
    hours_s = min(seconds, _THREE_HOURS_S) - sprint_s
    return bool(
        distance_m
        <= margin
        * (12.5 * sprint_s + 7.5 * hours_s + 4 * (seconds - sprint_s - hours_s))
    )


def downgrade() -> None:
    for name in reversed(_COLUMNS):
        op.drop_column("run", name)
