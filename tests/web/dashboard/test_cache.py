"""What the dashboard remembers it forgets as soon as it no longer holds."""

from sqlalchemy import delete, update

from sync.analytics.dataset.overview import Dashboard, load_dashboard
from sync.analytics.dataset.run_annotations import RunAnnotation, load_annotations
from sync.mail.store import suppress_decisions
from sync.models import Decision, Runner, Survey
from sync.runtime import Runtime
from sync.standins.fixtures.fixtures import build_fixture
from sync.surveys.answering import answer
from sync.vocabulary import SuppressionReason
from tests.support.harness import Harness
from tests.support.page_fixtures import build_fresh_run


def open_dashboard(runtime: Runtime, runner_id: int) -> Dashboard:
    return load_dashboard(runtime, runner_id)


def list_annotations(runtime: Runtime, runner_id: int) -> RunAnnotation:
    """Return what a page that is remembered says beside its latest run."""
    latest = open_dashboard(runtime, runner_id).runs[-1]
    return load_annotations(runtime, runner_id, [latest.id])[latest.id]


def test_nothing_is_read_twice_while_nothing_changes(harness: Harness) -> None:
    runner_id, _ = build_fresh_run(harness)

    assert open_dashboard(harness.runtime, runner_id) is open_dashboard(
        harness.runtime, runner_id
    )


def test_a_mail_that_leaves_is_seen_at_once(harness: Harness) -> None:
    runner_id, _ = build_fresh_run(harness)
    assert not list_annotations(harness.runtime, runner_id).has_survey

    with harness.runtime.db.transaction() as session:
        session.execute(update(Survey).values(sent_at=harness.clock()))

    assert list_annotations(harness.runtime, runner_id).has_survey


def test_a_new_decision_is_seen_at_once(harness: Harness) -> None:
    runner_id, run_id = build_fresh_run(harness)
    assert list_annotations(harness.runtime, runner_id).verdict == "send"

    harness.advance_clock(minutes=1)
    with harness.runtime.db.transaction() as session:
        session.execute(
            update(Decision)
            .where(Decision.run_id == run_id)
            .values(verdict="withhold", reason="paused", decided_at=harness.clock())
        )

    assert list_annotations(harness.runtime, runner_id).reason == "paused"


def test_a_mail_withheld_before_it_leaves_is_seen_at_once(harness: Harness) -> None:
    runner_id, _ = build_fresh_run(harness)
    assert list_annotations(harness.runtime, runner_id).verdict == "send"

    with harness.runtime.db.transaction() as session:
        suppress_decisions(session, runner_id, SuppressionReason.PAUSED)

    assert list_annotations(harness.runtime, runner_id).verdict == "withhold"


def test_an_answer_is_seen_at_once(harness: Harness) -> None:
    runner_id, run_id = build_fresh_run(harness)
    assert open_dashboard(harness.runtime, runner_id).runs[-1].mood is None

    answer.record_run_answer(
        harness.runtime, runner_id=runner_id, run_id=run_id, values={"mood": 2}
    )

    assert open_dashboard(harness.runtime, runner_id).runs[-1].mood == 2


def test_a_day_later_the_run_can_no_longer_be_answered(harness: Harness) -> None:
    runner_id, _ = build_fresh_run(harness)
    first = open_dashboard(harness.runtime, runner_id)
    assert first.runs[-1].can_answer

    harness.advance_clock(hours=24)

    later = open_dashboard(harness.runtime, runner_id)
    assert not later.runs[-1].can_answer
    assert later.today > first.today


def test_a_number_given_again_brings_no_one_elses_runs(runtime: Runtime) -> None:
    """SQLite may give a new runner the number of one who has left."""
    runner_id = build_fixture(runtime, "answers-3").runner_id
    assert runner_id is not None
    assert open_dashboard(runtime, runner_id).answered_count == 3

    with runtime.db.transaction() as session:
        left = session.get_one(Runner, runner_id)
        new = Runner(
            id=runner_id,
            created_at=runtime.now(),
            vault_key=runtime.sealer.new_vault_key(),
            data_version=left.data_version,
        )
        session.execute(delete(Runner))
        session.expunge_all()
        session.add(new)

    assert open_dashboard(runtime, runner_id).answered_count == 0
