"""Selects people to talk to for the foot of a mail, after mostly low answers.

At most one mail in two weeks names them, and none is written for that.  It repeats
nothing of the answers: a mail may be read over a shoulder.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.analytics.dataset.load import MOOD_KINDS
from sync.analytics.sentences import store
from sync.analytics.sentences.milestones import PanelDecision
from sync.analytics.sentences.rare_notices import (
    NOTICE_STATE,
    claim_support_mail,
    find_support_mail,
    is_mostly_low,
    release_support_mail,
)
from sync.conflicts import retry_conflicts
from sync.crypto import Vault
from sync.mail.message import FooterContact
from sync.models import Answer, Mail, Runner
from sync.runtime import Runtime
from sync.support.directory import find_helplines, find_zone_country
from sync.time_zones import get_zone

_MAX_ANSWERS = 100  # far more than any rule about the last answers looks at


@retry_conflicts
def select_mail_contacts(
    runtime: Runtime, mail_id: int, runner_id: int, *, is_low: bool = False
) -> Sequence[FooterContact]:
    """Return the contacts that this mail names, nearest first; none if it should not.

    `is_low`: something else than mood answers speaks for naming them.
    """
    with runtime.db.transaction() as session:
        # Two mails of one runner that are written at once take turns.
        runner = session.get(Runner, runner_id, with_for_update={"key_share": True})
        if runner is None:
            return ()
        now, vault = (
            runtime.db.now(session),
            runtime.sealer.open_vault(runner.vault_key),
        )
        is_low = is_low or _has_mostly_low_answers(session, runner, vault, now=now)
        stored = _load_notice_state(session, runner_id, vault)
        state, has_contacts = claim_support_mail(
            stored, mail_id, is_low=is_low, now=now
        )
        # Written for every mail, so that it does not tell which of them named some.
        local_day = store.compute_local_day(now, get_zone(runner.zone))
        look = store.Look(runner.data_version, local_day)
        store.save_decisions(session, runner_id, vault, {NOTICE_STATE: state}, look)
        country = runner.preferences.country or find_zone_country(runner.zone)
    if not has_contacts:
        return ()
    return [
        FooterContact(line.name, line.reach, line.url)
        for line in find_helplines(country).lines
    ]


def _has_mostly_low_answers(
    session: Session, runner: Runner, vault: Vault, *, now: datetime
) -> bool:
    rows = session.execute(
        select(Answer.answered_at, Answer.sealed)
        .where(Answer.runner_id == runner.id, Answer.kind.in_(MOOD_KINDS))
        .order_by(Answer.answered_at.desc(), Answer.id.desc())
        .limit(_MAX_ANSWERS)
    ).all()[::-1]
    zone = get_zone(runner.zone)
    return is_mostly_low(
        [answer["mood"] for answer in vault.open_all([row.sealed for row in rows])],
        [store.compute_local_day(row.answered_at, zone) for row in rows],
        today=store.compute_local_day(now, zone),
    )


def _load_notice_state(
    session: Session, runner_id: int, vault: Vault
) -> PanelDecision | None:
    """Return the stored state of rare notices, without a mail that never left."""
    stored = store.load_decisions(session, runner_id, vault).get(NOTICE_STATE)
    mail_id = find_support_mail(stored)
    if stored is None or mail_id is None:
        return stored
    suppressed_for = session.scalar(select(Mail.withheld_for).where(Mail.id == mail_id))
    return release_support_mail(stored) if suppressed_for else stored
