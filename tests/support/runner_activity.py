"""A few days of a runner's life, so that every table holds something."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.analytics.figures import load_figures
from sync.mail import deliver
from sync.models import (
    CheckinDraw,
    DelayDraw,
    FigureDecision,
    QuarantinedRecord,
    Run,
    Runner,
)
from sync.preferences import Preferences
from sync.runners import connect as linking
from sync.runners import sign_in
from sync.runtime import Runtime
from sync.simulator.records import Athlete
from sync.surveys.answering import answer, own_notes, pre_run, wellbeing
from sync.vocabulary import SealedColumn
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token


def add_activity(harness: Harness, athlete: Athlete, runner_id: int) -> None:
    """Run, answer, be asked on a rest day, look at the longer page, sign in."""
    harness.advance_clock(minutes=1)
    pre_run.record_mood(
        harness.runtime, token=pre_run.create_token(harness.runtime, runner_id), mood=0
    )
    run = harness.finish_run(
        athlete, distance_m=8230.4, moving_s=2712, ended_minutes_ago=0
    )
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    token = read_pending_token(harness.runtime)
    answer.record_answer(harness.runtime, token=token, values={"mood": 1, "stress": 2})
    own_notes.save_for_survey(harness.runtime, token=token, text="windy by the river")
    deliver.deliver_due(harness.runtime)
    with harness.runtime.db.transaction() as session:
        runner = session.get_one(Runner, runner_id)
        runner.preferences = Preferences(units="mi", wellbeing=True)
        session.add(_build_draw(harness, runner_id))
        session.add(_build_delay_draw(harness, session, runner))
        session.add(_build_sentence(harness, runner))
        session.add(
            QuarantinedRecord(
                runner_id=runner_id, source_id=5, reason="no date", at=harness.clock()
            )
        )
    wellbeing.record_answers(
        harness.runtime, runner_id, _build_wellbeing_values(harness.runtime, runner_id)
    )
    linking.begin_link(
        harness.runtime,
        browser="browser",
        given_consents=None,
        sign_in_token=sign_in.sign_in(harness.runtime, runner_id),
    )
    sign_in.enqueue_sign_in_link(
        harness.runtime, email=f"runner{runner_id}@example.org", browser="browser"
    )
    load_figures(harness.runtime, runner_id)


def _build_draw(harness: Harness, runner_id: int) -> CheckinDraw:
    return CheckinDraw(
        runner_id=runner_id,
        local_day=(harness.clock() - timedelta(days=1)).date(),
        probability=0.25,
        drawn=False,
        reason="not drawn",
        decided_at=harness.clock(),
    )


def _build_delay_draw(harness: Harness, session: Session, runner: Runner) -> DelayDraw:
    run = session.scalars(
        select(Run).where(Run.runner_id == runner.id).order_by(Run.id.desc())
    ).first()
    assert run
    vault = harness.runtime.sealer.open_vault(runner.vault_key)
    return DelayDraw(
        runner_id=runner.id,
        run_id=run.id,
        pairing_key=vault.pairing_key(run.source, run.source_id),
        delay_h=2,
        odds={"0": 0.5, "2": 0.5},
        asks_at=harness.clock(),
        drawn_at=harness.clock(),
    )


def _build_sentence(harness: Harness, runner: Runner) -> FigureDecision:
    vault = harness.runtime.sealer.open_vault(runner.vault_key)
    return FigureDecision(
        runner_id=runner.id,
        panel="mileage",
        data_version=1,
        sealed=vault.seal(
            {
                "sentence": "no_link",
                "facts": {"n": 30},
                "milestone": 30,
                "digest": "0" * 32,
                "rules": 1,
                "decided_at": harness.clock().isoformat(),
                "revised_at": None,
                "local_day": 1,
            },
            SealedColumn.FIGURE_DECISION,
        ),
    )


def _build_wellbeing_values(runtime: Runtime, runner_id: int) -> dict[str, int]:
    page = wellbeing.load_page(runtime, runner_id)
    assert page.instrument
    return {question.key: 3 for question in page.instrument.questions}
