"""Whom the foot of a mail names: people to talk to, after mostly low answers.

At most one mail in two weeks does, and none is written for it.  What the answers
were is not said there: a mail may be read over a shoulder.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.analytics.dataset.load import MOOD_KINDS
from sync.analytics.sentences import store
from sync.analytics.sentences.milestones import Decided
from sync.analytics.sentences.rare_notices import (
    RARE,
    in_mail,
    mailed_in,
    mostly_low,
    not_mailed,
)
from sync.crypto import Vault
from sync.mail import quiet_hours
from sync.mail.message import Person
from sync.models import Answer, Mail, Runner
from sync.runtime import Runtime
from sync.support.directory import country_of_zone, support

_LAST = 100  # far more than any rule about the last answers looks at


def for_mail(
    runtime: Runtime, mail_id: int, runner_id: int, *, is_low: bool = False
) -> Sequence[Person]:
    """Return whom this mail names, nearest first; nobody if it should not.

    `is_low` is what else than mood answers speaks for it.
    """
    with runtime.db.transaction() as session:
        # Two mails of one runner that are written at once take turns.
        runner = session.get(Runner, runner_id, with_for_update={"key_share": True})
        if runner is None:
            return ()
        now, vault = runtime.db.now(session), runtime.sealer.vault(runner.vault_key)
        is_low = is_low or _mostly_low(session, runner, vault, now=now)
        stored = _stored(session, runner_id, vault)
        kept, is_named = in_mail(stored, mail_id, is_low=is_low, now=now)
        if kept != stored:
            version = runner.data_version
            store.keep(session, runner_id, vault, {RARE: kept}, data_version=version)
        country = runner.preferences.get("country") or country_of_zone(runner.zone)
    if not is_named:
        return ()
    return [Person(line.name, line.reach, line.url) for line in support(country).lines]


def _mostly_low(
    session: Session, runner: Runner, vault: Vault, *, now: datetime
) -> bool:
    rows = session.execute(
        select(Answer.answered_at, Answer.sealed)
        .where(Answer.runner_id == runner.id, Answer.kind.in_(MOOD_KINDS))
        .order_by(Answer.answered_at.desc(), Answer.id.desc())
        .limit(_LAST)
    ).all()[::-1]
    zone = quiet_hours.zone_of(runner.zone)
    return mostly_low(
        [said["mood"] for said in vault.open_all([row.sealed for row in rows])],
        [store.local_today(row.answered_at, zone) for row in rows],
        today=store.local_today(now, zone),
    )


def _stored(session: Session, runner_id: int, vault: Vault) -> Decided | None:
    """Return what is kept of rare things; a mail that never left does not count."""
    stored = store.decisions(session, runner_id, vault).get(RARE)
    mail_id = mailed_in(stored)
    if stored is None or mail_id is None:
        return stored
    withheld = session.scalar(select(Mail.withheld_for).where(Mail.id == mail_id))
    return not_mailed(stored) if withheld else stored
