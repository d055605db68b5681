"""The lease, the attempts and the failure of work that has no row of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "runner_work",
        sa.Column(
            "runner_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("set_aside_for", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["runner_id"],
            ["runner.id"],
            name=op.f("fk_runner_work_runner_id_runner"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("runner_id", "job", name=op.f("pk_runner_work")),
    )
    # A demo's prepared runners stored a verdict that nothing else knows.
    op.execute("UPDATE decision SET verdict = 'withhold' WHERE verdict = 'skip'")


def downgrade() -> None:
    op.drop_table("runner_work")
