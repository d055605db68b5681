"""What a runner sees and sets about themselves, apart from runs and moods."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.conflicts import retry_conflicts
from sync.models import (
    Answer,
    Backfill,
    Connection,
    Consent,
    Mail,
    Run,
    Runner,
    SignIn,
    Survey,
)
from sync.preferences import Preferences
from sync.runners import retained_runs
from sync.runners.rules import estimate_total, may_read_private
from sync.runtime import Runtime
from sync.vocabulary import LinkStage, SealedColumn


@dataclass(frozen=True, slots=True)
class BackfillProgress:
    """How far the import of the past has come.

    `about_total` is how many runs it will bring, as far as can be told;
    `waiting_until` is when it goes on, while it has to wait.
    """

    runs_stored: int
    activities_seen: int
    reached: date | None
    waiting_for: str | None
    due_at: datetime | None
    is_done: bool
    about_total: int | None = None
    waiting_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountOverview:
    """One runner's account.  `email` is opened for their own eyes only."""

    runner_id: int
    is_linked: bool
    is_broken: bool
    sees_private: bool
    email: str | None
    email_confirmed: bool
    email_bounced: bool
    zone: str
    preferences: Preferences
    importing: BackfillProgress | None
    consents: tuple[tuple[str, str, datetime, datetime | None], ...]

    @property
    def link_stage(self) -> LinkStage:
        if self.importing is not None and not self.importing.is_done:
            return LinkStage.IMPORTING
        return LinkStage.LINKED if self.is_linked else LinkStage.DISCONNECTED

    @property
    def agreed(self) -> frozenset[str]:
        """The kinds of consent that stand."""
        return frozenset(
            kind for kind, _, _, withdrawn in self.consents if withdrawn is None
        )


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """What an account is known by, for somebody who may have more than one."""

    member_since: datetime
    runs: int
    is_linked: bool


@dataclass(frozen=True, slots=True)
class StoredCounts:
    """What we hold about a runner, counted before anything is removed."""

    from_strava: int
    runs: int
    answers: int
    questions: int
    mails: int
    sign_ins: int


def load_overview(runtime: Runtime, runner_id: int) -> AccountOverview:
    with runtime.db.read_only() as session:
        runner = session.get_one(Runner, runner_id)
        connection = session.get(Connection, runner_id)
        return AccountOverview(
            runner_id=runner_id,
            is_linked=connection is not None,
            is_broken=connection is not None and connection.broken_at is not None,
            sees_private=connection is not None and may_read_private(connection.scope),
            email=runtime.sealer.open(runner.email, SealedColumn.ADDRESS)
            if runner.email
            else None,
            email_confirmed=runner.email_confirmed_at is not None,
            email_bounced=runner.email_bounced_at is not None,
            zone=runner.zone,
            preferences=runner.preferences,
            importing=_load_import(session, runner_id),
            consents=_load_consents(session, runner_id),
        )


def load_summary(session: Session, runner_id: int) -> AccountSummary:
    runner = session.get_one(Runner, runner_id)
    runs = session.scalar(select(func.count()).where(Run.runner_id == runner_id))
    return AccountSummary(
        member_since=runner.created_at,
        runs=runs or 0,
        is_linked=runner.athlete_id is not None,
    )


def load_own_summary(runtime: Runtime, runner_id: int) -> AccountSummary:
    with runtime.db.read_only() as session:
        return load_summary(session, runner_id)


def load_import_progress(runtime: Runtime, runner_id: int) -> BackfillProgress | None:
    """Return how far the import is, or None when there never was one."""
    with runtime.db.read_only() as session:
        return _load_import(session, runner_id)


def count_holdings(runtime: Runtime, runner_id: int) -> StoredCounts:
    with runtime.db.read_only() as session:
        from_strava = session.scalar(
            select(func.count()).where(
                Run.runner_id == runner_id, Run.source == retained_runs.STRAVA
            )
        )
        counts = [
            session.scalar(
                select(func.count())
                .select_from(table)
                .where(table.runner_id == runner_id)
            )
            for table in (Run, Answer, Survey, Mail, SignIn)
        ]
    return StoredCounts(from_strava or 0, *(count or 0 for count in counts))


def load_language(runtime: Runtime, runner_id: int) -> str:
    """Return the language that this runner chose; "" while they have not."""
    with runtime.db.read_only() as session:
        preferences = session.get_one(Runner, runner_id).preferences
    return preferences.language


@retry_conflicts
def save_default_language(runtime: Runtime, runner_id: int, reported: str) -> None:
    """Keep the language heard from a runner who has not chosen one: mails speak it."""
    with runtime.db.transaction(runner_id=runner_id) as session:
        runner = session.get_one(Runner, runner_id)
        if not runner.preferences.language:
            runner.preferences = runner.preferences.with_changes(language=reported)


def _load_import(session: Session, runner_id: int) -> BackfillProgress | None:
    backfill = session.get(Backfill, runner_id)
    if backfill is None:
        return None
    about_total: int | None = backfill.runs_stored
    if backfill.finished_at is None:
        about_total = estimate_total(
            backfill.runs_stored,
            started=backfill.started_at.date(),
            reached=backfill.reached,
            member_since=backfill.member_since,
        )
    return BackfillProgress(
        runs_stored=backfill.runs_stored,
        activities_seen=backfill.activities_seen,
        reached=backfill.reached,
        waiting_for=backfill.waiting_for,
        due_at=backfill.due_at,
        is_done=backfill.finished_at is not None,
        about_total=about_total,
        waiting_until=backfill.due_at if backfill.waiting_for else None,
    )


def _load_consents(
    session: Session, runner_id: int
) -> tuple[tuple[str, str, datetime, datetime | None], ...]:
    rows = session.execute(
        select(Consent.kind, Consent.version, Consent.given_at, Consent.withdrawn_at)
        .where(Consent.runner_id == runner_id)
        .order_by(Consent.given_at, Consent.id)
    )
    return tuple((row[0], row[1], row[2], row[3]) for row in rows)
