"""Runners, what they agreed to, how they sign in, and their link to Strava."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from sync.models.base import Model, PreferencesJson, RowId
from sync.preferences import DEFAULT_PREFERENCES, Preferences
from sync.vocabulary import ConsentKind, MailLinkPurpose, RemovalKind, SignInMethod


class Runner(Model):
    """One person.  `vault_key` (sealed) encrypts this runner's answers.

    `athlete_id` is the Strava account that has proved to be theirs by linking;
    `claimed_athlete_id` is one that only an imported file names.
    `leaving_for` is the removal ("disconnect" or "delete") that has begun; a worker
    finishes it if its process dies.  `erase_at` is when
    a deletion asked for can no longer be undone.  `active_at` is the latest day on
    which the runner was seen here; after a year without one they are warned
    (`warned_at`), and a month later erased.
    """

    __tablename__ = "runner"

    id: Mapped[int] = mapped_column(RowId, Identity(), primary_key=True)
    athlete_id: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    claimed_athlete_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    created_at: Mapped[datetime]
    vault_key: Mapped[bytes] = mapped_column(LargeBinary)
    zone: Mapped[str] = mapped_column(default="UTC")
    email: Mapped[bytes | None] = mapped_column(LargeBinary)
    email_hash: Mapped[str | None] = mapped_column(unique=True)
    email_confirmed_at: Mapped[datetime | None]
    email_bounced_at: Mapped[datetime | None]
    data_version: Mapped[int] = mapped_column(default=1, server_default="1")
    leaving_for: Mapped[RemovalKind | None]
    leaving_since: Mapped[datetime | None]
    erase_at: Mapped[datetime | None]
    active_at: Mapped[datetime | None] = mapped_column(index=True)
    warned_at: Mapped[datetime | None]
    preferences: Mapped[Preferences] = mapped_column(
        PreferencesJson, default=DEFAULT_PREFERENCES
    )


class Consent(Model):
    """One agreement to one text version; withdrawn, never overwritten.

    One `from_file` was given on another instance, as a file says: here the runner is
    asked anew, as about an older text.
    """

    __tablename__ = "consent"

    id: Mapped[int] = mapped_column(RowId, Identity(), primary_key=True)
    runner_id: Mapped[int] = mapped_column(
        ForeignKey("runner.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[ConsentKind]
    version: Mapped[str]
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    from_file: Mapped[bool] = mapped_column(default=False, server_default=false())


class LinkAttempt(Model):
    """A visit to Strava's consent page: the one-use `state`, kept as a hash.

    With a `runner_id` it was begun signed in, and ends with that sign-in.
    """

    __tablename__ = "link_attempt"

    state_hash: Mapped[str] = mapped_column(primary_key=True)
    browser_hash: Mapped[str]
    consents: Mapped[dict[str, Any]]
    runner_id: Mapped[int | None] = mapped_column(
        ForeignKey("runner.id", ondelete="CASCADE")
    )
    sign_in_hash: Mapped[str | None] = mapped_column(
        ForeignKey("sign_in.token_hash", ondelete="CASCADE"), index=True
    )
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Connection(Model):
    """A runner's link to Strava.  Tokens are sealed.

    `lease_until` lets one process refresh them, `busy_until` lets one worker at
    a time act on this runner's events, import and reconciliation.  `misses` counts
    since `missed_since` the events that Strava did not bear out; of a runner with
    many, events wait until `held_until` for one list read.
    """

    __tablename__ = "connection"

    runner_id: Mapped[int] = mapped_column(
        ForeignKey("runner.id", ondelete="CASCADE"), primary_key=True
    )
    scope: Mapped[str]
    access_token: Mapped[bytes] = mapped_column(LargeBinary)
    refresh_token: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime]
    linked_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    busy_until: Mapped[datetime | None]
    broken_at: Mapped[datetime | None]
    misses: Mapped[int] = mapped_column(default=0, server_default="0")
    missed_since: Mapped[datetime | None]
    held_until: Mapped[datetime | None]


class SignIn(Model):
    """A signed-in browser; the cookie holds the token, we hold its hash.

    `browser` is what a runner knows it by, such as "Firefox on Linux".  What the
    sign-in began, visits to Strava and mailed links, is deleted with its row.
    """

    __tablename__ = "sign_in"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    runner_id: Mapped[int] = mapped_column(
        ForeignKey("runner.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    browser: Mapped[str | None]
    method: Mapped[SignInMethod | None]


class MailLink(Model):
    """A one-use link sent by mail, such as to confirm an address or to sign in.

    One that was asked for signed in, by `sign_in_hash`, ends with that sign-in.
    `email` is the address that the link makes the runner's own, until it is over.
    A decoy names no runner: nobody can redeem it, so all others read a number.
    """

    __tablename__ = "mail_link"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    runner_id: Mapped[int] = mapped_column(
        ForeignKey("runner.id", ondelete="CASCADE"), index=True, nullable=True
    )
    purpose: Mapped[MailLinkPurpose]
    email: Mapped[bytes | None] = mapped_column(LargeBinary)
    browser_hash: Mapped[str | None]
    sign_in_hash: Mapped[str | None] = mapped_column(
        ForeignKey("sign_in.token_hash", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Export(Model):
    """Everything held about a runner, packed by a worker for them to fetch.

    `sealed` is the ZIP under the runner's own vault key.  It lies in the database
    and not on a disk, so that any web process can hand it out and a deletion
    takes it along.  `tables_done` of `tables` is how far the packing has come.
    `sign_in_hash` is the sign-in that asked for it; the export outlives it, unless
    the runner ends that sign-in as somebody else's.
    """

    __tablename__ = "export"

    id: Mapped[int] = mapped_column(RowId, Identity(), primary_key=True)
    runner_id: Mapped[int] = mapped_column(
        ForeignKey("runner.id", ondelete="CASCADE"), index=True
    )
    asked_at: Mapped[datetime]
    sign_in_hash: Mapped[str | None]
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    tables: Mapped[int] = mapped_column(default=0)
    tables_done: Mapped[int] = mapped_column(default=0)
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    size_bytes: Mapped[int | None]


_LEAVING = Runner.leaving_since.is_not(None)
Index(
    "ix_runner_leaving_since",
    Runner.leaving_since,
    postgresql_where=_LEAVING,
    sqlite_where=_LEAVING,
)
_ERASING = Runner.erase_at.is_not(None)
Index(
    "ix_runner_erase_at",
    Runner.erase_at,
    postgresql_where=_ERASING,
    sqlite_where=_ERASING,
)
