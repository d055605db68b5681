"""A link of nobody: it is stored for an address that is not known here."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("mail_link") as table:
        table.alter_column("runner_id", nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM mail_link WHERE runner_id IS NULL")
    with op.batch_alter_table("mail_link") as table:
        table.alter_column("runner_id", nullable=False)
