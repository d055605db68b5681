"""Linking Strava: consent here, consent there, tokens, and the first import."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from sync import account_state
from sync.conflicts import retry_conflicts
from sync.crypto import hash_token, new_token
from sync.database import dialect_insert, wake_after_commit
from sync.errors import (
    ConsentMissing,
    MoodmilesError,
    PrivateScopeMissing,
    RunnerMismatch,
    ScopeMissing,
    StateRefused,
)
from sync.models import Connection, LinkAttempt, Runner, SignIn
from sync.queue import Job
from sync.runners import consents, sign_in, sign_in_changes, store
from sync.runners.rules import (
    CONSENT_VERSION,
    STATE_LIFE,
    ConsentChoices,
    may_read_private,
    may_read_runs,
)
from sync.runtime import Runtime
from sync.strava import Grant
from sync.vocabulary import ConsentKind, SealedColumn

log = structlog.get_logger()

_OTHER_RUNNER = "This browser is signed in as a different runner."


@dataclass(frozen=True, slots=True)
class LinkResult:
    """Who came back from Strava."""

    runner_id: int
    is_new: bool
    needs_address: bool


@retry_conflicts
def begin_link(
    runtime: Runtime,
    *,
    browser: str,
    given_consents: ConsentChoices | None,
    sign_in_token: str = "",
    private: bool = False,
) -> str:
    """Return the address of Strava's consent page for this browser.

    Without `given_consents` it is only a way to sign in: the athlete must be linked
    already.  `private` then asks Strava for the private runs that this runner had
    agreed to.  Raises `ConsentMissing` when a needed box is empty.  The state in the
    address works once, for this browser, for half an hour.  With `sign_in_token`, a
    visit links Strava to the runner who is signed in, and ends with that sign-in;
    if the runner has no Strava when it ends, it must have begun with a fresh one.
    """
    if given_consents is not None:
        given_consents.require_mandatory()
    requested = given_consents or ConsentChoices(private=private)
    state = new_token()
    signed_in = sign_in.find_signed_in(runtime, sign_in_token)
    with runtime.db.transaction() as session:
        begun_by = session.get(SignIn, hash_token(sign_in_token))
        session.add(
            LinkAttempt(
                state_hash=hash_token(state),
                browser_hash=hash_token(browser),
                consents={
                    "given": given_consents.kinds if given_consents else [],
                    "version": CONSENT_VERSION,
                    "signing_in": given_consents is None,
                    "private": requested.private,
                    "may_add_way": signed_in is not None and signed_in.is_fresh,
                },
                runner_id=begun_by.runner_id if begun_by else None,
                sign_in_hash=begun_by.token_hash if begun_by else None,
                expires_at=runtime.db.now(session) + STATE_LIFE,
            )
        )
    return runtime.strava.consent_url(
        state=state,
        redirect_uri=f"{runtime.settings.public_url}/connect/callback",
        scope=requested.scope,
    )


def finish_link(  # noqa: PLR0913
    runtime: Runtime,
    *,
    state: str,
    browser: str,
    code: str,
    scope: str,
    sign_in_token: str = "",
) -> LinkResult:
    """Take the runner back from Strava's page and start importing.

    `sign_in_token` is that of the sign-in in this browser now: a visit that was begun
    signed in is only good for the same one.

    Raises `StateRefused`, `ScopeMissing`, `ConsentMissing`, `PrivateScopeMissing`,
    `RunnerMismatch`, or what `Strava.exchange` raises.  A grant that we cannot use
    is given back, so that it does not take one of the app's places.
    """
    attempt = _redeem_attempt(runtime, state=state, browser=browser)
    is_begun_signed_in = attempt.runner_id is not None
    if is_begun_signed_in and attempt.sign_in_hash != hash_token(sign_in_token):
        raise StateRefused("The sign-in that began this visit to Strava is over.")
    grant = runtime.strava.exchange(code)
    if not may_read_runs(scope):
        _revoke_grant(runtime, grant)
        raise ScopeMissing("Strava was not allowed to show us your runs.")
    if attempt.consents.get("signing_in"):
        _require_existing_link(runtime, attempt, grant, scope=scope)
    try:
        linked = _save_link(runtime, attempt, grant, scope=scope)
    except (RunnerMismatch, StateRefused):
        # To revoke a grant ends the athlete's every other, that of a link here too.
        with runtime.db.read_only() as session:
            is_known = store.find_by_athlete(session, grant.athlete_id) is not None
        if not is_known:
            _revoke_grant(runtime, grant)
        raise
    log.info(
        "runner linked",
        runner_id=linked.runner_id,
        new=linked.is_new,
        consents=attempt.consents["given"],
    )
    return linked


def _require_existing_link(
    runtime: Runtime, attempt: LinkAttempt, grant: Grant, *, scope: str
) -> None:
    """Refuse whoever signs in by Strava and has not agreed to anything here yet."""
    with runtime.db.read_only() as session:
        runner = store.find_by_athlete(session, grant.athlete_id)
        has_agreed = runner is not None and store.has_consent(
            session, runner.id, ConsentKind.STRAVA
        )
        has_private = runner is not None and store.has_consent(
            session, runner.id, ConsentKind.PRIVATE
        )
        is_linked = (
            runner is not None and session.get(Connection, runner.id) is not None
        )
    if not has_agreed:
        if not is_linked:
            _revoke_grant(runtime, grant)
        raise ConsentMissing("This Strava account is not linked here yet.")
    if has_private and not may_read_private(scope) and not attempt.consents["private"]:
        # The first visit could not know who comes; a narrower link would lose runs.
        raise PrivateScopeMissing("This runner's link sees private runs too.")


def decline_link(runtime: Runtime, *, state: str, browser: str) -> None:
    """Use up the visit of a runner who said no at Strava (or raise `StateRefused`)."""
    _redeem_attempt(runtime, state=state, browser=browser)


@retry_conflicts
def _redeem_attempt(runtime: Runtime, *, state: str, browser: str) -> LinkAttempt:
    with runtime.db.transaction() as session:
        attempt = store.redeem_attempt(
            session,
            hash_token(state),
            hash_token(browser),
            now=runtime.db.now(session),
        )
    if attempt is None:
        raise StateRefused("This visit to Strava was not started here, or is over.")
    return attempt


def _revoke_grant(runtime: Runtime, grant: Grant) -> None:
    try:
        runtime.strava.revoke(grant.tokens.access)
    except MoodmilesError as error:
        log.warning("grant not given back", error=type(error).__name__)


def _find_or_create_runner(
    runtime: Runtime, session: Session, attempt: LinkAttempt, grant: Grant
) -> Runner:
    """Return the runner to link; raise `RunnerMismatch` if the browser is another's.

    A visit that began as signing in again adds no way in, whatever happened meanwhile.
    """
    runners = store.lock_candidates(session, grant.athlete_id, attempt.runner_id)
    athlete_runner = next(
        (runner for runner in runners if runner.athlete_id == grant.athlete_id), None
    )
    browser_runner = next(
        (runner for runner in runners if runner.id == attempt.runner_id), None
    )
    if (
        browser_runner is not None
        and (athlete_runner or browser_runner) is not browser_runner
    ):
        raise RunnerMismatch(_OTHER_RUNNER)
    if browser_runner is not None and browser_runner.athlete_id not in {
        None,
        grant.athlete_id,
    }:
        raise RunnerMismatch(_OTHER_RUNNER)
    if (
        browser_runner is not None
        and browser_runner.athlete_id is None
        and not attempt.consents.get("may_add_way")
    ):
        raise StateRefused("This visit to Strava began without a fresh sign-in.")
    existing = (
        athlete_runner
        or browser_runner
        or store.find_claimant(session, grant.athlete_id)
    )
    if existing is not None:
        return existing
    runner = Runner(
        created_at=runtime.db.now(session),
        vault_key=runtime.sealer.new_vault_key(),
    )
    session.add(runner)
    return runner


@retry_conflicts
def _save_link(
    runtime: Runtime, attempt: LinkAttempt, grant: Grant, *, scope: str
) -> LinkResult:
    """Link the runner, or raise `RunnerMismatch` or `StateRefused`.

    The sign-in that began the visit may have ended while we spoke to Strava.
    """
    with runtime.db.transaction() as session:
        if attempt.sign_in_hash is not None and not session.get(
            SignIn, attempt.sign_in_hash
        ):
            raise StateRefused("The sign-in that began this visit to Strava is over.")
        return _link_runner(runtime, session, attempt, grant, scope=scope)


def _link_runner(
    runtime: Runtime,
    session: Session,
    attempt: LinkAttempt,
    grant: Grant,
    *,
    scope: str,
) -> LinkResult:
    runner = _find_or_create_runner(runtime, session, attempt, grant)
    is_new = runner in session.new
    is_new_way = runner.athlete_id is None and not is_new
    now = runtime.db.now(session)
    runner.athlete_id, runner.claimed_athlete_id = grant.athlete_id, None
    runner.leaving_for, runner.leaving_since = None, None
    session.flush()
    account_state.touch(session, runner.id, now=now)
    if is_new_way:
        sign_in_changes.announce_strava(session, runtime.sealer, runner, now=now)
    linked_at = _linked_since(session, runner.id, scope)
    _save_tokens(runtime, session, runner.id, grant, scope=scope)
    _record_consents(session, runner.id, attempt, scope=scope, now=now)
    store.start_reconcile(session, runner.id, now=now)
    if linked_at is None:
        store.start_backfill(
            session, runner.id, now=now, member_since=grant.member_since
        )
        wake_after_commit(session, Job.BACKFILL)
    else:
        session.get_one(Connection, runner.id).linked_at = linked_at
    return LinkResult(runner.id, is_new, runner.email_confirmed_at is None)


def _record_consents(
    session: Session,
    runner_id: int,
    attempt: LinkAttempt,
    *,
    scope: str,
    now: datetime,
) -> None:
    """Note what was agreed to; look for what an older text, or scope, has missed."""
    agreement = attempt.consents
    outdated = account_state.outdated_consents(session, runner_id)
    had_private = store.has_consent(session, runner_id, ConsentKind.PRIVATE)
    sees_private = may_read_private(scope)
    kinds = [
        kind
        for kind in agreement["given"]
        if kind != ConsentKind.PRIVATE or sees_private
    ]
    store.record_consents(
        session, runner_id, kinds, version=agreement["version"], at=now
    )
    if not sees_private:
        # Strava was not allowed to show those runs any more, so they go.
        store.withdraw_consent(session, runner_id, ConsentKind.PRIVATE, at=now)
    if outdated or had_private != store.has_consent(
        session, runner_id, ConsentKind.PRIVATE
    ):
        consents.resume_collection(session, runner_id, now=now)


def _linked_since(session: Session, runner_id: int, scope: str) -> datetime | None:
    """Return since when a healthy link has stood, or None if it starts (anew).

    Coming back through a healthy link is only signing in: nothing was missed,
    runs since then are still to be asked about, and the budget is shared.
    """
    connection = session.get(Connection, runner_id)
    if connection is None or connection.broken_at is not None:
        return None
    return connection.linked_at if connection.scope == scope else None


def _save_tokens(
    runtime: Runtime, session: Session, runner_id: int, grant: Grant, *, scope: str
) -> None:
    tokens = {
        "scope": scope,
        "access_token": runtime.sealer.seal(
            grant.tokens.access, SealedColumn.STRAVA_ACCESS
        ),
        "refresh_token": runtime.sealer.seal(
            grant.tokens.refresh, SealedColumn.STRAVA_REFRESH
        ),
        "expires_at": grant.tokens.expires_at,
        "linked_at": runtime.db.now(session),
        "lease_until": None,
        "broken_at": None,
    }
    session.execute(
        dialect_insert(session, Connection)
        .values(runner_id=runner_id, **tokens)
        .on_conflict_do_update(index_elements=["runner_id"], set_=tokens)
    )
