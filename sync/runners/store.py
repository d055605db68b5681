"""The tables about a runner, one statement each."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import bindparam, select, true, update
from sqlalchemy.orm import Session

from sync import account_state
from sync.crypto import Sealer, Vault
from sync.database import count_up, dialect_insert
from sync.errors import ConsentMissing
from sync.models import (
    Backfill,
    Connection,
    Consent,
    LinkAttempt,
    ReconcileState,
    Runner,
)
from sync.models.base import UtcDateTime
from sync.vocabulary import ConsentKind

_RUNNER_ID = bindparam("whose", type_=Runner.id.type)
# Built once, for they run all the time: building them costs more than running.
_BUMP_DATA_VERSION = (
    update(Runner)
    .where(Runner.id == _RUNNER_ID)
    .values(data_version=count_up(Runner.data_version))
)
_ACQUIRE = (
    update(Connection)
    .where(
        Connection.runner_id == _RUNNER_ID,
        (Connection.busy_until.is_(None))
        | (Connection.busy_until <= bindparam("now", type_=UtcDateTime())),
    )
    .values(busy_until=bindparam("until", type_=UtcDateTime()))
    .returning(Connection.runner_id)
    .execution_options(synchronize_session=False)
)


def find_by_athlete(session: Session, athlete_id: int) -> Runner | None:
    return session.scalar(select(Runner).where(Runner.athlete_id == athlete_id))


def find_claimant(session: Session, athlete_id: int) -> Runner | None:
    """Find the runner whom an imported file gives this athlete, and nobody signs in as.

    Two such runners are as good as none: neither has proved anything.
    """
    claimants = session.scalars(
        select(Runner)
        .where(
            Runner.claimed_athlete_id == athlete_id,
            Runner.athlete_id.is_(None),
            Runner.email_hash.is_(None),
        )
        .with_for_update()
    ).all()
    return claimants[0] if len(claimants) == 1 else None


def lock_candidates(
    session: Session, athlete_id: int, runner_id: int | None
) -> Sequence[Runner]:
    """Lock and return the runner of this athlete and the one of this number."""
    return session.scalars(
        select(Runner)
        .where((Runner.athlete_id == athlete_id) | (Runner.id == runner_id))
        .order_by(Runner.id)
        .with_for_update()
    ).all()


def find_by_address(session: Session, hashes: Iterable[str]) -> Runner | None:
    """Find the runner whose confirmed address has one of these lookup hashes."""
    return session.scalar(
        select(Runner).where(
            Runner.email_hash.in_(list(hashes)), Runner.email_confirmed_at.is_not(None)
        )
    )


def open_vault(session: Session, sealer: Sealer, runner_id: int) -> Vault:
    """Open the runner's vault; raises `KeyLost`."""
    vault_key = session.scalars(
        select(Runner.vault_key).where(Runner.id == runner_id)
    ).one()
    return sealer.open_vault(vault_key)


def find_id_by_address(session: Session, hashes: Iterable[str]) -> int | None:
    """Find the number alone, which takes as long whether there is one or not."""
    return session.scalar(
        select(Runner.id).where(
            Runner.email_hash.in_(list(hashes)), Runner.email_confirmed_at.is_not(None)
        )
    )


def bump_data_version(session: Session, runner_id: int) -> None:
    """Say that this runner's runs or answers changed: figures are out of date."""
    session.execute(_BUMP_DATA_VERSION, {"whose": runner_id})


def mark_answered(session: Session, runner_id: int, *, now: datetime) -> None:
    """Say that the runner has just answered: they are here, and figures are out."""
    bump_data_version(session, runner_id)
    account_state.touch(session, runner_id, now=now)


def redeem_attempt(
    session: Session, state_hash: str, browser_hash: str, *, now: datetime
) -> LinkAttempt | None:
    """Take the visit to Strava with this state: once, in time, same browser."""
    return session.scalar(
        update(LinkAttempt)
        .where(
            LinkAttempt.state_hash == state_hash,
            LinkAttempt.browser_hash == browser_hash,
            LinkAttempt.used_at.is_(None),
            LinkAttempt.expires_at > now,
        )
        .values(used_at=now)
        .returning(LinkAttempt)
    )


def record_consents(
    session: Session,
    runner_id: int,
    kinds: Iterable[ConsentKind],
    *,
    version: str,
    at: datetime,
) -> None:
    """Note each consent that this version of the text does not already have."""
    existing_kinds = set(
        session.scalars(
            select(Consent.kind).where(
                Consent.runner_id == runner_id,
                Consent.version == version,
                Consent.withdrawn_at.is_(None),
                ~Consent.from_file,
            )
        )
    )
    session.add_all(
        Consent(runner_id=runner_id, kind=kind, version=version, given_at=at)
        for kind in kinds
        if kind not in existing_kinds
    )


def has_consent(
    session: Session, runner_id: int, kind: ConsentKind, *, trusts_files: bool = False
) -> bool:
    """Whether a consent of this kind stands that was given here.

    With `trusts_files` it may be one that only an imported file speaks of.
    """
    return (
        session.scalar(
            select(Consent.id)
            .where(
                Consent.runner_id == runner_id,
                Consent.kind == kind,
                Consent.withdrawn_at.is_(None),
                true() if trusts_files else ~Consent.from_file,
            )
            .limit(1)
        )
        is not None
    )


def require_mood_consent(
    session: Session, runner_id: int, *, trusts_files: bool = False
) -> None:
    """Raise `ConsentMissing` once the runner took back that answers may be stored.

    Raises what `account_state.require_active` raises, too.
    """
    account_state.require_active(session, runner_id, trusts_files=trusts_files)
    consent_id = session.scalar(
        select(Consent.id)
        .where(Consent.runner_id == runner_id, Consent.kind == ConsentKind.MOOD)
        .limit(1)
    )
    if consent_id is not None and not has_consent(
        session, runner_id, ConsentKind.MOOD, trusts_files=trusts_files
    ):
        raise ConsentMissing("You took back that we may store your mood answers.")


def withdraw_consent(
    session: Session, runner_id: int, kind: ConsentKind, *, at: datetime
) -> None:
    session.execute(
        update(Consent)
        .where(
            Consent.runner_id == runner_id,
            Consent.kind == kind,
            Consent.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=at)
    )


def start_backfill(
    session: Session, runner_id: int, *, now: datetime, member_since: date | None
) -> None:
    """Import from the newest run on; a second linking starts over, losing nothing."""
    columns = {
        "member_since": member_since,
        "before": now,
        "next_page": 1,
        "activities_seen": 0,
        "runs_stored": 0,
        "reached": None,
        "due_at": now,
        "attempts": 0,
        "waiting_for": None,
        "started_at": now,
        "finished_at": None,
    }
    session.execute(
        dialect_insert(session, Backfill)
        .values(runner_id=runner_id, **columns)
        .on_conflict_do_update(index_elements=["runner_id"], set_=columns)
    )


def start_reconcile(session: Session, runner_id: int, *, now: datetime) -> None:
    """Reconcile with Strava's list from tomorrow on; a row that exists stays."""
    session.execute(
        dialect_insert(session, ReconcileState)
        .values(
            runner_id=runner_id,
            due_at=now + timedelta(days=1),
            compared_at=now,
            next_page=1,
            attempts=0,
        )
        .on_conflict_do_nothing(index_elements=["runner_id"])
    )


def acquire(
    session: Session, runner_id: int, *, now: datetime, until: datetime
) -> bool:
    """Make this process the only one that acts on the runner's Strava data."""
    parameters = {"whose": runner_id, "now": now, "until": until}
    return session.scalar(_ACQUIRE, parameters) is not None


def is_linked(session: Session, runner_id: int) -> bool:
    """Whether the runner is still linked, and stays so until this commits.

    Who is being deleted, or has not agreed to the newest text, is as good as gone.
    """
    return (
        session.scalar(
            select(Connection.runner_id)
            .where(
                Connection.runner_id == runner_id,
                account_state.may_collect(Connection.runner_id),
            )
            .with_for_update(read=True)
        )
        is not None
    )


def may_undo_deletion(session: Session, runner_id: int) -> bool:
    """Whether one who `is_linked` did not find is so again once they undo.

    Who agrees to a newer text is compared with the whole list instead.
    """
    statement = select(Connection.runner_id).where(Connection.runner_id == runner_id)
    if session.scalar(statement) is None:
        return False
    return not account_state.outdated_consents(session, runner_id)


def release(session: Session, runner_id: int) -> None:
    session.execute(
        update(Connection)
        .where(Connection.runner_id == runner_id)
        .values(busy_until=None)
    )
