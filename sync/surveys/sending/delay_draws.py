"""The delays drawn for questions after runs: each drawn once and stored."""

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import DelayDraw, Run
from sync.runners import store as runners
from sync.surveys.policy.checkin_sampling import Uniforms
from sync.surveys.policy.delay_sampling import (
    MIN_OFFERED,
    DrawnDelay,
    draw_delay,
    list_offered_delays,
    plan_delayed_question,
)
from sync.surveys.policy.run_decision import Send
from sync.surveys.policy.situation import RunFacts, Situation
from sync.surveys.sending.schedule import SurveyContext
from sync.vocabulary import KeyUse

log = structlog.get_logger()


def draw_question_time(
    context: SurveyContext,
    run: Run,
    facts: RunFacts,
    situation: Situation,
    question: Send,
) -> Send:
    """Return the question at the time drawn for it, or as it is if none is drawn.

    A draw that was made before stands, also after the runner has switched it off:
    whoever could have it drawn again might wait for another delay.  A run whose end has
    changed since keeps its delay; where that is no time to ask any more, the question
    stands as it was planned without a draw.
    """
    session, runner_id = context.session, context.runner.id
    key = context.vault.pairing_key(run.source, run.source_id)
    row = _find_draw(session, run, key)
    if row is None:
        drawn = _draw(context, facts, situation, key)
        if drawn is None:
            return question
        row = DelayDraw(
            runner_id=runner_id,
            delay_h=drawn.delay_h,
            odds={str(delay_h): share for delay_h, share in drawn.odds.items()},
            drawn_at=context.now,
        )
        session.add(row)
        log.info("delay drawn", runner_id=runner_id, run_id=run.id)
    plan = plan_delayed_question(
        facts, situation, context.policy, delay_h=row.delay_h, now=context.now
    )
    delayed = plan if isinstance(plan, Send) else question
    row.run_id, row.pairing_key, row.asks_at = run.id, key, delayed.at
    session.flush()
    # The dashboard does not ask by itself before the drawn time.
    runners.bump_data_version(session, runner_id)
    return delayed


def _draw(
    context: SurveyContext, facts: RunFacts, situation: Situation, key: str
) -> DrawnDelay | None:
    if not situation.preferences.random_delay:
        return None
    offered_h = list_offered_delays(facts, situation, context.policy, now=context.now)
    if len(offered_h) < MIN_OFFERED:
        return None
    signature = context.runtime.sealer.signatures(
        KeyUse.DELAY_DRAWS, f"{context.runner.id}:{key}"
    )[0]
    return draw_delay(offered_h, Uniforms.from_signature(signature).timing)


def _find_draw(session: Session, run: Run, key: str) -> DelayDraw | None:
    """Return the draw of this run, or of another recording of it."""
    counted_id = run.duplicate_of or run.id
    recordings = select(Run.id).where(
        Run.runner_id == run.runner_id,
        (Run.id == counted_id) | (Run.duplicate_of == counted_id),
    )
    return session.scalars(
        select(DelayDraw)
        .where(
            DelayDraw.runner_id == run.runner_id,
            (DelayDraw.pairing_key == key) | DelayDraw.run_id.in_(recordings),
        )
        .order_by(DelayDraw.id)
        .limit(1)
    ).first()
