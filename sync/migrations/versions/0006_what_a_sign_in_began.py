"""How a runner signed in, and what each sign-in began."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BEGUN_BY_SIGN_INS = ("link_attempt", "mail_link")


def upgrade() -> None:
    op.add_column("sign_in", sa.Column("method", sa.String(), nullable=True))
    op.add_column("export", sa.Column("sign_in_hash", sa.String(), nullable=True))
    for table in _BEGUN_BY_SIGN_INS:
        with op.batch_alter_table(table) as batch_op:
            batch_op.add_column(sa.Column("sign_in_hash", sa.String(), nullable=True))
            batch_op.create_foreign_key(
                batch_op.f(f"fk_{table}_sign_in_hash_sign_in"),
                "sign_in",
                ["sign_in_hash"],
                ["token_hash"],
                ondelete="CASCADE",
            )
            batch_op.create_index(
                batch_op.f(f"ix_{table}_sign_in_hash"), ["sign_in_hash"]
            )
    # Visits to Strava that are under way know no sign-in that they could end with.
    op.execute("DELETE FROM link_attempt WHERE runner_id IS NOT NULL")


def downgrade() -> None:
    for table in _BEGUN_BY_SIGN_INS:
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_index(batch_op.f(f"ix_{table}_sign_in_hash"))
            batch_op.drop_constraint(
                batch_op.f(f"fk_{table}_sign_in_hash_sign_in"), type_="foreignkey"
            )
            batch_op.drop_column("sign_in_hash")
    op.drop_column("export", "sign_in_hash")
    op.drop_column("sign_in", "method")
