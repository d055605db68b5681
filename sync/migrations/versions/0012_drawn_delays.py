"""The delay drawn for the question about a run, with its odds."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "delay_draw",
        sa.Column("id", _ROW_ID, sa.Identity(always=False), nullable=False),
        sa.Column("runner_id", _ROW_ID, nullable=False),
        sa.Column("run_id", _ROW_ID, nullable=True),
        sa.Column("pairing_key", sa.String(), nullable=False),
        sa.Column("delay_h", sa.Integer(), nullable=False),
        sa.Column("odds", sa.JSON(), nullable=False),
        sa.Column("asks_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["runner_id"],
            ["runner.id"],
            name=op.f("fk_delay_draw_runner_id_runner"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["run.id"],
            name=op.f("fk_delay_draw_run_id_run"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delay_draw")),
        sa.UniqueConstraint("run_id", name=op.f("uq_delay_draw_run_id")),
        sa.UniqueConstraint(
            "runner_id", "pairing_key", name=op.f("uq_delay_draw_runner_id_pairing_key")
        ),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("delay_draw")
