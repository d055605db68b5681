"""Numbers that are given once, and rows that are unique per runner."""

import re
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Mails whose key ends in the number of a row that may be gone.
_NUMBER_OF_MAIL = {
    "deleted": "runner",
    "disconnected": "runner",
    "digest": "runner",
    "reconnect": "runner",
    "slow-down": "runner",
    "imported": "runner",
    "export": "export",
    "survey": "survey",
    "survey_reminder": "survey",
    "checkin": "survey",
}
_PER_RUNNER = {
    "run": ("source", "source_id"),
    "survey": ("pairing_key",),
    "answer": ("pairing_key",),
}
_FROM_FILES = {"run", "consent"}


def upgrade() -> None:
    used = _numbers_used() if _on_sqlite() else {}
    _rebuild(per_runner=True)
    for table, number in used.items():
        _give_no_number_up_to(table, number)


def downgrade() -> None:
    _rebuild(per_runner=False)


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _rebuild(*, per_runner: bool) -> None:
    """Change the constraints, on SQLite by building every numbered table anew."""
    inspector = sa.inspect(op.get_bind())
    for table in sorted(inspector.get_table_names()):
        is_numbered = _on_sqlite() and _is_numbered(inspector, table)
        changed = table in {*_PER_RUNNER, *_FROM_FILES, "runner"}
        if not is_numbered and not changed:
            continue
        with op.batch_alter_table(
            table,
            recreate="always" if is_numbered else "never",
            table_kwargs={"sqlite_autoincrement": per_runner},
        ) as batch_op:
            if table in _PER_RUNNER:
                columns = _PER_RUNNER[table]
                old, new = list(columns), ["runner_id", *columns]
                if not per_runner:
                    old, new = new, old
                batch_op.drop_constraint(f"uq_{table}_{'_'.join(old)}", type_="unique")
                batch_op.create_unique_constraint(f"uq_{table}_{'_'.join(new)}", new)
            if table in _FROM_FILES and per_runner:
                batch_op.add_column(
                    sa.Column(
                        "from_file",
                        sa.Boolean(),
                        server_default=sa.false(),
                        nullable=False,
                    )
                )
            elif table in _FROM_FILES:
                batch_op.drop_column("from_file")
            elif table == "runner" and per_runner:
                batch_op.add_column(
                    sa.Column("claimed_athlete_id", sa.BigInteger(), nullable=True)
                )
                batch_op.create_index(
                    batch_op.f("ix_runner_claimed_athlete_id"), ["claimed_athlete_id"]
                )
            elif table == "runner":
                batch_op.drop_index(batch_op.f("ix_runner_claimed_athlete_id"))
                batch_op.drop_column("claimed_athlete_id")


def _is_numbered(inspector: sa.Inspector, table: str) -> bool:
    """Whether SQLite numbers the rows of a table by itself."""
    key = inspector.get_pk_constraint(table)["constrained_columns"]
    referring = {
        name
        for foreign_key in inspector.get_foreign_keys(table)
        for name in foreign_key["constrained_columns"]
    }
    types = {
        column["name"]: str(column["type"]) for column in inspector.get_columns(table)
    }
    return len(key) == 1 and key[0] not in referring and types[key[0]] == "INTEGER"


def _numbers_used() -> dict[str, int]:
    """Return the highest number of each table that anything here still names."""
    highest: dict[str, int] = {}
    for table, number in _numbers_named():
        highest[table] = max(number, highest.get(table, 0))
    return highest


def _numbers_named() -> Iterator[tuple[str, int]]:
    connection = op.get_bind()
    for (key,) in connection.execute(sa.text("SELECT dedupe_key FROM mail")):
        named = re.match(r"([a-z_-]+):(\d{1,18})(?::|$)", key)
        if named and named[1] in _NUMBER_OF_MAIL:
            yield _NUMBER_OF_MAIL[named[1]], int(named[2])
    earlier_runs = sa.text(
        "SELECT max(value) FROM answer, json_each(tags, '$.earlier_runs') "
        "WHERE json_valid(tags) AND typeof(value) = 'integer'"
    )
    yield "run", connection.execute(earlier_runs).scalar() or 0


def _give_no_number_up_to(table: str, number: int) -> None:
    """Let SQLite go on behind a number, also where no row has it any more."""
    connection = op.get_bind()
    names = {"name": table, "seq": number}
    connection.execute(
        sa.text(
            "INSERT INTO sqlite_sequence (name, seq) SELECT :name, 0 "
            "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = :name)"
        ),
        names,
    )
    connection.execute(
        sa.text("UPDATE sqlite_sequence SET seq = max(seq, :seq) WHERE name = :name"),
        names,
    )
