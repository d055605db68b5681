"""Linking Strava: consent here, consent there, tokens, and the first import."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from sync import account_state
from sync.crypto import new_token, token_hash
from sync.database import insert, wake_after_commit
from sync.errors import (
    ConsentMissing,
    MoodmilesError,
    OtherRunner,
    PrivateMissing,
    ScopeMissing,
    StateRefused,
)
from sync.models import Connection, LinkAttempt, Runner
from sync.queue import Work
from sync.runners import consents, store
from sync.runners.rules import CONSENT_VERSION, STATE_LIFE, Consents, may_read_runs
from sync.runtime import Runtime
from sync.strava import Grant

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Linked:
    """Who came back from Strava."""

    runner_id: int
    is_new: bool
    needs_address: bool


def begin(
    runtime: Runtime,
    *,
    browser: str,
    consents: Consents | None,
    runner_id: int | None = None,
    private: bool = False,
) -> str:
    """Return the address of Strava's consent page for this browser.

    Without `consents` it is only a way to sign in: whoever comes back must be
    linked already.  `private` then asks Strava for what that runner had agreed
    to.  Raises `ConsentMissing` when a needed box is empty.  The state in the
    address works once, for this browser, for half an hour.
    """
    if consents is not None:
        consents.require()
    boxes = consents or Consents(private=private)
    state = new_token()
    with runtime.db.transaction() as session:
        session.add(
            LinkAttempt(
                state_hash=token_hash(state),
                browser_hash=token_hash(browser),
                consents={
                    "given": consents.given if consents else [],
                    "version": CONSENT_VERSION,
                    "signing_in": consents is None,
                    "private": boxes.private,
                },
                runner_id=runner_id,
                expires_at=runtime.db.now(session) + STATE_LIFE,
            )
        )
    return runtime.strava.consent_url(
        state=state,
        redirect_uri=f"{runtime.settings.public_url}/connect/callback",
        scope=boxes.scope,
    )


def finish(
    runtime: Runtime, *, state: str, browser: str, code: str, scope: str
) -> Linked:
    """Take the runner back from Strava's page and start importing.

    Raises `StateRefused`, `ScopeMissing`, `ConsentMissing`, `PrivateMissing`,
    `OtherRunner`, or what `Strava.exchange` raises.  A grant that we cannot use
    is given back, so that it does not take one of the app's places.
    """
    attempt = _use(runtime, state=state, browser=browser)
    grant = runtime.strava.exchange(code)
    if not may_read_runs(scope):
        _give_back(runtime, grant)
        raise ScopeMissing("Strava was not allowed to show us your runs.")
    if attempt.consents.get("signing_in"):
        _require_link(runtime, attempt, grant, scope=scope)
    with runtime.db.transaction() as session:
        linked = _link(runtime, session, attempt, grant, scope=scope)
        is_known = store.by_athlete(session, grant.athlete_id) is not None
    if linked is None:
        if not is_known:
            _give_back(runtime, grant)
        raise OtherRunner("This browser is signed in as a different runner.")
    log.info("runner linked", runner_id=linked.runner_id, new=linked.is_new)
    return linked


def _require_link(
    runtime: Runtime, attempt: LinkAttempt, grant: Grant, *, scope: str
) -> None:
    """Refuse whoever signs in by Strava and has not agreed to anything here yet."""
    with runtime.db.reading() as session:
        known = store.by_athlete(session, grant.athlete_id)
        private = known is not None and store.agreed(session, known.id, "private")
    if known is None:
        _give_back(runtime, grant)
        raise ConsentMissing("This Strava account is not linked here yet.")
    if private and "read_all" not in scope and not attempt.consents["private"]:
        # The first visit could not know who comes; a narrower link would lose runs.
        raise PrivateMissing("This runner's link sees private runs too.")


def decline(runtime: Runtime, *, state: str, browser: str) -> None:
    """Use up the visit of a runner who said no at Strava (or raise `StateRefused`)."""
    _use(runtime, state=state, browser=browser)


def _use(runtime: Runtime, *, state: str, browser: str) -> LinkAttempt:
    with runtime.db.transaction() as session:
        attempt = store.use_attempt(
            session,
            token_hash(state),
            token_hash(browser),
            now=runtime.db.now(session),
        )
    if attempt is None:
        raise StateRefused("This visit to Strava was not started here, or is over.")
    return attempt


def _give_back(runtime: Runtime, grant: Grant) -> None:
    try:
        runtime.strava.revoke(grant.tokens.access)
    except MoodmilesError as error:
        log.warning("grant not given back", error=type(error).__name__)


def _runner_of(
    runtime: Runtime, session: Session, attempt: LinkAttempt, grant: Grant
) -> tuple[Runner | None, bool]:
    """Return the runner to link, or None when the browser is someone else's."""
    known = store.by_athlete(session, grant.athlete_id)
    here = session.get(Runner, attempt.runner_id) if attempt.runner_id else None
    if here is not None and (known or here) is not here:
        return None, False
    if here is not None and here.athlete_id not in {None, grant.athlete_id}:
        return None, False
    found = known or here
    if found is not None:
        return found, False
    runner = Runner(
        created_at=runtime.db.now(session),
        vault_key=runtime.sealer.new_vault_key(),
        preferences={},
    )
    session.add(runner)
    return runner, True


def _link(
    runtime: Runtime,
    session: Session,
    attempt: LinkAttempt,
    grant: Grant,
    *,
    scope: str,
) -> Linked | None:
    runner, is_new = _runner_of(runtime, session, attempt, grant)
    if runner is None:
        return None
    now = runtime.db.now(session)
    runner.athlete_id = grant.athlete_id
    runner.leaving_for, runner.leaving_since = None, None
    session.flush()
    account_state.seen(session, runner.id, now=now)
    linked_at = _standing_since(session, runner.id, scope)
    _keep_tokens(runtime, session, runner.id, grant, scope=scope)
    _agree(session, runner.id, attempt, scope=scope, now=now)
    store.start_sweep(session, runner.id, now=now)
    if linked_at is None:
        store.start_backfill(
            session, runner.id, now=now, member_since=grant.member_since
        )
        wake_after_commit(session, Work.BACKFILL)
    else:
        session.get_one(Connection, runner.id).linked_at = linked_at
    return Linked(runner.id, is_new, runner.email_confirmed_at is None)


def _agree(
    session: Session,
    runner_id: int,
    attempt: LinkAttempt,
    *,
    scope: str,
    now: datetime,
) -> None:
    """Note what was agreed to; look for what an older text, or scope, has missed."""
    given = attempt.consents
    outdated = account_state.outdated(session, runner_id)
    had_private = store.agreed(session, runner_id, "private")
    sees_private = "read_all" in scope
    kinds = [kind for kind in given["given"] if kind != "private" or sees_private]
    store.agree(session, runner_id, kinds, version=given["version"], at=now)
    if not sees_private:
        # Strava was not allowed to show those runs any more, so they go.
        store.withdraw(session, runner_id, "private", at=now)
    if outdated or had_private != store.agreed(session, runner_id, "private"):
        consents.go_on(session, runner_id, now=now)


def _standing_since(session: Session, runner_id: int, scope: str) -> datetime | None:
    """Return since when a healthy link has stood, or None if it starts (anew).

    Coming back through a healthy link is only signing in: nothing was missed,
    runs since then are still to be asked about, and the budget is shared.
    """
    connection = session.get(Connection, runner_id)
    if connection is None or connection.broken_at is not None:
        return None
    return connection.linked_at if connection.scope == scope else None


def _keep_tokens(
    runtime: Runtime, session: Session, runner_id: int, grant: Grant, *, scope: str
) -> None:
    tokens = {
        "scope": scope,
        "access_token": runtime.sealer.seal(grant.tokens.access),
        "refresh_token": runtime.sealer.seal(grant.tokens.refresh),
        "expires_at": grant.tokens.expires_at,
        "linked_at": runtime.db.now(session),
        "lease_until": None,
        "broken_at": None,
    }
    session.execute(
        insert(session, Connection)
        .values(runner_id=runner_id, **tokens)
        .on_conflict_do_update(index_elements=["runner_id"], set_=tokens)
    )
