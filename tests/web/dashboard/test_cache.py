"""What the dashboard remembers it forgets as soon as it no longer holds."""

from sqlalchemy import delete, update

from sync.analytics.dataset.overview import Dashboard, dashboard
from sync.analytics.dataset.run_annotations import Aside, asides
from sync.mail.store import note_withheld
from sync.models import Decision, Mail, Runner, Survey
from sync.runtime import Runtime
from sync.standins.fixtures.fixtures import prepare
from sync.surveys.answering import answer
from tests.support.harness import Stage
from tests.support.page_fixtures import fresh_run


def look(runtime: Runtime, runner_id: int) -> Dashboard:
    return dashboard(runtime, runner_id)


def beside(runtime: Runtime, runner_id: int) -> Aside:
    """Return what a page that is remembered says beside its latest run."""
    latest = look(runtime, runner_id).runs[-1]
    return asides(runtime, runner_id, [latest.id])[latest.id]


def test_nothing_is_read_twice_while_nothing_changes(stage: Stage) -> None:
    runner_id, _ = fresh_run(stage)

    assert look(stage.runtime, runner_id) is look(stage.runtime, runner_id)


def test_a_mail_that_leaves_is_seen_at_once(stage: Stage) -> None:
    runner_id, _ = fresh_run(stage)
    assert not beside(stage.runtime, runner_id).asked

    with stage.runtime.db.transaction() as session:
        session.execute(update(Survey).values(sent_at=stage.clock()))

    assert beside(stage.runtime, runner_id).asked


def test_a_new_decision_is_seen_at_once(stage: Stage) -> None:
    runner_id, run_id = fresh_run(stage)
    assert beside(stage.runtime, runner_id).verdict == "send"

    stage.pass_time(minutes=1)
    with stage.runtime.db.transaction() as session:
        session.execute(
            update(Decision)
            .where(Decision.run_id == run_id)
            .values(verdict="withhold", reason="paused", decided_at=stage.clock())
        )

    assert beside(stage.runtime, runner_id).reason == "paused"


def test_a_mail_withheld_before_it_leaves_is_seen_at_once(stage: Stage) -> None:
    runner_id, _ = fresh_run(stage)
    assert beside(stage.runtime, runner_id).verdict == "send"

    with stage.runtime.db.transaction() as session:
        note_withheld(session, "paused", Mail.runner_id == runner_id)

    assert beside(stage.runtime, runner_id).verdict == "withhold"


def test_an_answer_is_seen_at_once(stage: Stage) -> None:
    runner_id, run_id = fresh_run(stage)
    assert look(stage.runtime, runner_id).runs[-1].mood is None

    answer.record_for_run(
        stage.runtime, runner_id=runner_id, run_id=run_id, values={"mood": 2}
    )

    assert look(stage.runtime, runner_id).runs[-1].mood == 2


def test_a_day_later_the_run_can_no_longer_be_answered(stage: Stage) -> None:
    runner_id, _ = fresh_run(stage)
    first = look(stage.runtime, runner_id)
    assert first.runs[-1].can_answer

    stage.pass_time(hours=24)

    later = look(stage.runtime, runner_id)
    assert not later.runs[-1].can_answer
    assert later.today > first.today


def test_a_number_given_again_brings_no_one_elses_runs(runtime: Runtime) -> None:
    """SQLite may give a new runner the number of one who has left."""
    runner_id = prepare(runtime, "answers-3").runner_id
    assert runner_id is not None
    assert look(runtime, runner_id).answered == 3

    with runtime.db.transaction() as session:
        left = session.get_one(Runner, runner_id)
        new = Runner(
            id=runner_id,
            created_at=runtime.now(),
            vault_key=runtime.sealer.new_vault_key(),
            data_version=left.data_version,
            preferences={},
        )
        session.execute(delete(Runner))
        session.expunge_all()
        session.add(new)

    assert look(runtime, runner_id).answered == 0
