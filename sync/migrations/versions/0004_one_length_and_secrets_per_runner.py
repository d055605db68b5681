"""Sealed values of one length, and secrets of each runner's own for hashes and links.

Every sealed value is sealed anew: padded, with a version in front.  Pairing keys, and
the numbers made of them, become hashes under the runner's own secret.  It takes small
transactions and may be killed at any point: what is done says so by its form, and the
next attempt does the rest.
"""

import hmac
import json
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeGuard

import sqlalchemy as sa
from alembic import op
from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sync import settings
from sync.crypto import (
    SEAL_VERSION,
    Sealer,
    Vault,
    VaultSecrets,
)
from sync.errors import MoodmilesError
from sync.vocabulary import SealedColumn

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BATCH_ROWS = 500
PROGRESS_ROWS = 20_000
FORMER_KEY_LENGTH = 64
FORMER_NONCE_BYTES = 12

Row = sa.Row[Any]
Values = dict[str, Any]

runner = sa.table("runner", *map(sa.column, ("id", "vault_key", "email")))
connection = sa.table(
    "connection", *map(sa.column, ("runner_id", "access_token", "refresh_token"))
)
mail_link = sa.table("mail_link", *map(sa.column, ("token_hash", "email")))
mail = sa.table("mail", *map(sa.column, ("id", "sealed")))
survey = sa.table("survey", *map(sa.column, ("id", "runner_id", "pairing_key")))
run = sa.table("run", *map(sa.column, ("id", "source", "source_id")))
answer = sa.table(
    "answer",
    *map(sa.column, ("id", "runner_id", "run_id", "pairing_key", "sealed")),
    sa.column("tags", sa.JSON),
)
MOVED_COLUMNS: Mapping[str, sa.types.TypeEngine[Any]] = {
    "milestone": sa.Integer(),
    "digest": sa.String(),
    "rules": sa.Integer(),
    "decided_at": sa.DateTime(timezone=True),
    "revised_at": sa.DateTime(timezone=True),
}
figure_decision = sa.table(
    "figure_decision",
    *map(sa.column, ("runner_id", "panel", "sealed")),
    *(sa.column(name, kind) for name, kind in MOVED_COLUMNS.items()),
)
export = sa.table(
    "export", *map(sa.column, ("id", "runner_id", "sealed", "size_bytes"))
)


class FormerSeals:
    """Opens and signs as the releases before this migration did."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet(
            [Fernet(urlsafe_b64encode(self._derive(key, "seal"))) for key in keys]
        )
        self._link_keys = [self._derive(key, "lookup") for key in keys]

    @staticmethod
    def _derive(key: str, purpose: str) -> bytes:
        return hmac.digest(key.encode(), f"moodmiles {purpose}".encode(), "sha256")

    def open(self, sealed: bytes) -> str | None:
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            return None

    def sign_stops(self, runner_id: int) -> list[str]:
        """Return what stop links of this runner may be signed with in sent mails."""
        message = f"unsubscribe:{runner_id}".encode()
        return [
            hmac.digest(key, message, "sha256").hex()[:32] for key in self._link_keys
        ]


@dataclass
class Resealing:
    """One walk through all tables: what it works with, and what no key opens."""

    engine: sa.Engine
    sealer: Sealer
    former: FormerSeals
    unreadable_count: int = field(default=0)

    def walk(  # noqa: PLR0913
        self,
        table: sa.TableClause,
        keys: Sequence[str],
        columns: Sequence[sa.ColumnElement[Any]],
        change: Callable[[sa.Connection, Row], Values],
        *,
        joined: sa.FromClause | None = None,
        batch_rows: int = BATCH_ROWS,
    ) -> None:
        """Change the rows of a table in the order of its key, a batch a transaction."""
        key_columns = [table.c[name] for name in keys]
        key_tuple = sa.tuple_(*key_columns)
        last_key: tuple[Any, ...] | None = None
        done = 0
        while True:
            query = (
                sa.select(*key_columns, *columns)
                .select_from(table if joined is None else joined)
                .order_by(*key_columns)
                .limit(batch_rows)
            )
            if last_key is not None:
                query = query.where(key_tuple > sa.tuple_(*last_key))
            with self.engine.begin() as transaction:
                rows = transaction.execute(query).all()
                for row in rows:
                    values = change(transaction, row)
                    if values:
                        transaction.execute(
                            sa.update(table)
                            .where(key_tuple == sa.tuple_(*row[: len(keys)]))
                            .values(values)
                        )
            if not rows:
                return
            last_key = tuple(rows[-1][: len(keys)])
            if (done + len(rows)) // PROGRESS_ROWS > done // PROGRESS_ROWS:
                sys.stderr.write(f"{table.name}: {done + len(rows)} rows sealed anew\n")
            done += len(rows)

    def reseal_runners(self) -> None:
        def change(_transaction: sa.Connection, row: Row) -> Values:
            values = self._reseal_columns(row, {"email": SealedColumn.ADDRESS})
            if not row.vault_key.startswith(SEAL_VERSION):
                new = VaultSecrets.create()
                secrets = VaultSecrets(
                    answers=self.former.open(row.vault_key) or "",
                    pairing=new.pairing,
                    links=new.links,
                    former_stops=self.former.sign_stops(row.id),
                )
                values["vault_key"] = self.sealer.seal_vault(secrets)
            return values

        self.walk(runner, ["id"], [runner.c.vault_key, runner.c.email], change)

    def reseal_host_columns(
        self, table: sa.TableClause, key: str, columns: Mapping[str, SealedColumn]
    ) -> None:
        self.walk(
            table,
            [key],
            [table.c[name] for name in columns],
            lambda _transaction, row: self._reseal_columns(row, columns),
        )

    def _reseal_columns(self, row: Row, columns: Mapping[str, SealedColumn]) -> Values:
        values = {}
        for name, column in columns.items():
            sealed = getattr(row, name)
            if sealed is None or sealed.startswith(SEAL_VERSION):
                continue
            text = self.former.open(sealed)
            if text is None:
                self.unreadable_count += 1
            else:
                values[name] = self.sealer.seal(text, column)
        return values

    def rekey_surveys(self) -> None:
        def change(_transaction: sa.Connection, row: Row) -> Values:
            if not is_former_key(row.pairing_key):
                return {}
            vault, _ = self._open_vault(row.vault_key)
            return {"pairing_key": vault.wrap_pairing_key(row.pairing_key)}

        self.walk(
            survey,
            ["id"],
            [survey.c.pairing_key, runner.c.vault_key],
            change,
            joined=survey.join(runner, runner.c.id == survey.c.runner_id),
        )

    def reseal_answers(self) -> None:
        def change(transaction: sa.Connection, row: Row) -> Values:
            vault, former_cipher = self._open_vault(row.vault_key)
            values: Values = {}
            if is_former_key(row.pairing_key):
                key = vault.wrap_pairing_key(row.pairing_key)
                values["pairing_key"] = key
                # A run that is kept in its runner's own log is numbered by this key.
                transaction.execute(
                    sa.update(run)
                    .where(run.c.id == row.run_id, run.c.source == "hand")
                    .values(source_id=int(key[:15], 16))
                )
            paired_with = (row.tags or {}).get("paired_with")
            if is_former_key(paired_with):
                key = vault.wrap_pairing_key(paired_with)
                values["tags"] = {**row.tags, "paired_with": key}
            plain = self._open_former(vault, former_cipher, row, SealedColumn.ANSWER)
            if plain is not None:
                values["sealed"] = vault.seal_bytes(plain, SealedColumn.ANSWER)
            return values

        columns = [answer.c[name] for name in ("run_id", "pairing_key", "tags")]
        self.walk(
            answer,
            ["id"],
            [*columns, answer.c.sealed, runner.c.vault_key],
            change,
            joined=answer.join(runner, runner.c.id == answer.c.runner_id),
        )

    def reseal_figures(self) -> None:
        def change(_transaction: sa.Connection, row: Row) -> Values:
            vault, former_cipher = self._open_vault(row.vault_key)
            column = SealedColumn.FIGURE_DECISION
            plain = self._open_former(vault, former_cipher, row, column)
            if plain is None:
                return {}
            content = json.loads(plain) | {"local_day": 0}
            for name in MOVED_COLUMNS:
                value = getattr(row, name)
                if isinstance(value, datetime):
                    value = (value.replace(tzinfo=value.tzinfo or UTC)).isoformat()
                content[name] = value
            return {"sealed": vault.seal(content, column), "digest": ""}

        self.walk(
            figure_decision,
            ["runner_id", "panel"],
            [
                *(figure_decision.c[name] for name in MOVED_COLUMNS),
                figure_decision.c.sealed,
                runner.c.vault_key,
            ],
            change,
            joined=figure_decision.join(
                runner, runner.c.id == figure_decision.c.runner_id
            ),
        )

    def reseal_exports(self) -> None:
        def change(_transaction: sa.Connection, row: Row) -> Values:
            if row.sealed is None:
                return {"size_bytes": None} if row.size_bytes else {}
            vault, former_cipher = self._open_vault(row.vault_key)
            plain = self._open_former(vault, former_cipher, row, SealedColumn.EXPORT)
            if plain is None:
                return {}
            sealed = vault.seal_bytes(plain, SealedColumn.EXPORT)
            return {"sealed": sealed, "size_bytes": len(sealed)}

        self.walk(
            export,
            ["id"],
            [export.c.sealed, export.c.size_bytes, runner.c.vault_key],
            change,
            joined=export.join(runner, runner.c.id == export.c.runner_id),
            batch_rows=1,
        )

    def _open_vault(self, vault_key: bytes) -> tuple[Vault, AESGCM]:
        return open_vault(self.sealer, vault_key)

    def _open_former(
        self, vault: Vault, cipher: AESGCM, row: Row, column: SealedColumn
    ) -> bytes | None:
        """Return what a value of the former form holds; None if it is not one."""
        sealed = row.sealed
        if vault.is_current(sealed, column):
            return None
        nonce, ciphertext = sealed[:FORMER_NONCE_BYTES], sealed[FORMER_NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, ciphertext, None)
        except InvalidTag:
            self.unreadable_count += 1
            return None


@lru_cache(maxsize=1024)
def open_vault(sealer: Sealer, vault_key: bytes) -> tuple[Vault, AESGCM]:
    """Open a vault, and the cipher of its answers as it was before."""
    secrets = sealer.open_vault_secrets(vault_key)
    return Vault(secrets), AESGCM(bytes.fromhex(secrets.answers))


def is_former_key(key: str | None) -> TypeGuard[str]:
    return key is not None and len(key) == FORMER_KEY_LENGTH


@contextmanager
def outside_transaction() -> Iterator[sa.Engine]:
    """Give the engine while the migration's own transaction is not open."""
    bind = op.get_bind()
    if bind.dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            yield bind.engine
    else:
        bind.exec_driver_sql("COMMIT")
        yield bind.engine
        bind.exec_driver_sql("BEGIN IMMEDIATE")


def require_readable_vaults(engine: sa.Engine, former: FormerSeals) -> None:
    """Raise before anything changes if the keys of some runners are missing."""
    with engine.connect() as reading:
        rows = reading.execute(sa.select(runner.c.id, runner.c.vault_key))
        missing = [
            row.id
            for row in rows
            if not row.vault_key.startswith(SEAL_VERSION)
            and former.open(row.vault_key) is None
        ]
    if missing:
        raise MoodmilesError(
            f"The data of {len(missing)} runner(s) cannot be opened, so the tables "
            "were left as they were: put the keys that sealed them into "
            "MOODMILES_SECRET_KEYS, behind the newest. If they are lost for good, "
            "delete with the release before: moodmiles runner delete "
            f"{missing[0]}."
        )


def reseal_everything(engine: sa.Engine, keys: Sequence[str]) -> None:
    sealer, former = Sealer(keys), FormerSeals(keys)
    require_readable_vaults(engine, former)
    work = Resealing(engine, sealer, former)
    work.reseal_runners()
    work.reseal_host_columns(
        connection,
        "runner_id",
        {
            "access_token": SealedColumn.STRAVA_ACCESS,
            "refresh_token": SealedColumn.STRAVA_REFRESH,
        },
    )
    work.reseal_host_columns(
        mail_link, "token_hash", {"email": SealedColumn.LINK_ADDRESS}
    )
    work.reseal_host_columns(mail, "id", {"sealed": SealedColumn.MAIL})
    work.rekey_surveys()
    work.reseal_answers()
    work.reseal_figures()
    work.reseal_exports()
    if work.unreadable_count:
        sys.stderr.write(
            f"{work.unreadable_count} secrets stay as they are: none of the keys "
            "opens them.\n"
        )


def upgrade() -> None:
    with outside_transaction() as engine:
        with engine.connect() as reading:
            needs_keys = any(
                reading.execute(
                    sa.select(sa.literal(1)).select_from(table).limit(1)
                ).first()
                for table in (runner, mail)
            )
        if needs_keys:
            keys = [key.get_secret_value() for key in settings.load().secret_keys]
            reseal_everything(engine, keys)
    with op.batch_alter_table("figure_decision") as table:
        for name in MOVED_COLUMNS:
            table.drop_column(name)


def downgrade() -> None:
    if op.get_bind().execute(sa.select(runner.c.id).limit(1)).first():
        raise MoodmilesError(
            "What is sealed cannot go back to the former form: restore the backup that "
            "was made before the update."
        )
    with op.batch_alter_table("figure_decision") as table:
        for name, kind in MOVED_COLUMNS.items():
            table.add_column(sa.Column(name, kind, nullable=name == "revised_at"))
