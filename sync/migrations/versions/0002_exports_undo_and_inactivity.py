"""Exports, the undo of a deletion, inactivity, and the names of browsers."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "export",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False),
            nullable=False,
        ),
        sa.Column(
            "runner_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tables", sa.Integer(), nullable=False),
        sa.Column("tables_done", sa.Integer(), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("size_bytes", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["runner_id"],
            ["runner.id"],
            name=op.f("fk_export_runner_id_runner"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export")),
    )
    with op.batch_alter_table("export", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_export_due_at"), ["due_at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_export_expires_at"), ["expires_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_export_runner_id"), ["runner_id"], unique=False
        )

    with op.batch_alter_table("runner", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("erase_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("active_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.add_column(
            sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True)
        )
        batch_op.create_index(
            batch_op.f("ix_runner_active_at"), ["active_at"], unique=False
        )
        batch_op.create_index(
            "ix_runner_erase_at",
            ["erase_at"],
            unique=False,
            postgresql_where=sa.text("erase_at IS NOT NULL"),
            sqlite_where=sa.text("erase_at IS NOT NULL"),
        )

    # Nobody knows when those who are here were last seen: their year begins today.
    runner = sa.table("runner", sa.column("active_at", sa.DateTime(timezone=True)))
    op.execute(sa.update(runner).values(active_at=datetime.now(UTC)))

    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.add_column(sa.Column("browser", sa.String(), nullable=True))

    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_run_undecided_since"))
        batch_op.create_index(
            "ix_run_runner_id_undecided_since",
            ["runner_id", "undecided_since"],
            unique=False,
            postgresql_where=sa.text("undecided_since IS NOT NULL"),
            sqlite_where=sa.text("undecided_since IS NOT NULL"),
        )
    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mail_due_at"))
        batch_op.create_index(
            "ix_mail_due_at",
            ["due_at"],
            unique=False,
            postgresql_where=sa.text("due_at IS NOT NULL"),
            sqlite_where=sa.text("due_at IS NOT NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_mail_due_at",
            postgresql_where=sa.text("due_at IS NOT NULL"),
            sqlite_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_mail_due_at"), ["due_at"], unique=False)
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_run_runner_id_undecided_since",
            postgresql_where=sa.text("undecided_since IS NOT NULL"),
            sqlite_where=sa.text("undecided_since IS NOT NULL"),
        )
        batch_op.create_index(
            batch_op.f("ix_run_undecided_since"), ["undecided_since"], unique=False
        )

    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_column("browser")

    with op.batch_alter_table("runner", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_runner_erase_at",
            postgresql_where=sa.text("erase_at IS NOT NULL"),
            sqlite_where=sa.text("erase_at IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_runner_active_at"))
        batch_op.drop_column("warned_at")
        batch_op.drop_column("active_at")
        batch_op.drop_column("erase_at")

    with op.batch_alter_table("export", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_export_runner_id"))
        batch_op.drop_index(batch_op.f("ix_export_expires_at"))
        batch_op.drop_index(batch_op.f("ix_export_due_at"))

    op.drop_table("export")
