"""The delay of a question is drawn once for each run, and stored with its odds."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from sync.models import CheckinDraw, Decision, DelayDraw, Mail, Run, Survey
from sync.runners import preferences, withdraw_consent
from sync.runs import pull
from sync.runtime import Runtime
from sync.simulator import activities
from sync.simulator.records import Activity, Athlete
from sync.strava import Lane
from sync.surveys.answering import answer
from sync.surveys.answering.run_detail import load_run_detail
from sync.surveys.policy.checkin_sampling import Uniforms
from sync.surveys.policy.delay_sampling import draw_delay
from sync.surveys.sending import decide_runs
from sync.vocabulary import KeyUse
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token

HOUR = timedelta(hours=1)
RUNNER_ID = 1


@pytest.fixture
def athlete(harness: Harness) -> Athlete:
    """Link a runner who wants drawn delays; it is nine o'clock in Berlin."""
    athlete = harness.add_athlete()
    harness.link_runner(athlete)
    harness.process_all_due()
    harness.clock.at = harness.clock.at.replace(hour=7)
    harness.advance_clock(days=2)
    preferences.save_preferences(
        harness.runtime, RUNNER_ID, {"random_delay": True, "checkins": False}
    )
    return athlete


def finish_run(
    harness: Harness, athlete: Athlete, *, minutes_ago: float = 5
) -> Activity:
    run = harness.finish_run(
        athlete, ended_minutes_ago=minutes_ago, moving_s=3600, distance_m=10_000
    )
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    return run


def load_draws(harness: Harness) -> list[DelayDraw]:
    with harness.runtime.db.read_only() as session:
        return list(session.scalars(select(DelayDraw).order_by(DelayDraw.id)))


def load_standing_survey(harness: Harness) -> Survey:
    with harness.runtime.db.read_only() as session:
        return session.scalars(
            select(Survey).where(Survey.cancelled_for.is_(None))
        ).one()


def count_kinds(harness: Harness) -> list[str]:
    with harness.runtime.db.read_only() as session:
        return sorted(
            session.scalars(select(Mail.kind).where(Mail.survey_id.is_not(None)))
        )


def force_draw(harness: Harness, delay_h: int) -> None:
    """Let the newest draw have come out like this before its question left."""
    with harness.runtime.db.transaction() as session:
        draw = session.scalars(select(DelayDraw).order_by(DelayDraw.id.desc())).first()
        assert draw
        run = session.get_one(Run, draw.run_id)
        draw.delay_h, draw.asks_at = delay_h, run.ended_at + delay_h * HOUR
        survey = session.scalars(select(Survey).where(Survey.run_id == run.id)).one()
        survey.send_at = draw.asks_at
        session.execute(
            update(Mail).where(Mail.survey_id == survey.id).values(due_at=draw.asks_at)
        )


def test_nothing_is_drawn_unless_the_runner_wants_it(
    harness: Harness, athlete: Athlete
) -> None:
    preferences.save_preferences(harness.runtime, RUNNER_ID, {"random_delay": False})

    finish_run(harness, athlete)

    assert load_draws(harness) == []
    assert count_kinds(harness) == ["survey", "survey_reminder"]


def test_the_question_comes_at_the_drawn_time_without_a_reminder(
    harness: Harness, athlete: Athlete
) -> None:
    finish_run(harness, athlete)

    [draw], survey = load_draws(harness), load_standing_survey(harness)
    ended_at = survey.expires_at - 24 * HOUR
    assert draw.odds == pytest.approx(dict.fromkeys(("0", "1", "2", "4", "6"), 0.2))
    assert survey.send_at == draw.asks_at
    assert draw.asks_at == max(ended_at + draw.delay_h * HOUR, harness.clock())
    assert count_kinds(harness) == ["survey"]
    with harness.runtime.db.read_only() as session:
        decision = session.scalars(select(Decision)).one()
    assert (decision.verdict, decision.reason) == ("send", "at a drawn time")


def test_the_draws_of_many_runs_are_spread_over_all_delays(runtime: Runtime) -> None:
    offered = (0, 1, 2, 4, 6)
    signatures = [
        runtime.sealer.signatures(KeyUse.DELAY_DRAWS, f"1:{number}")[0]
        for number in range(1000)
    ]

    drawn = Counter(
        draw_delay(offered, Uniforms.from_signature(signature).timing).delay_h
        for signature in signatures
    )

    # Six standard deviations of what is expected.
    assert all(124 < drawn[hours] < 276 for hours in offered)


def test_a_decision_that_is_rolled_back_draws_the_same_again(
    harness: Harness, athlete: Athlete
) -> None:
    finish_run(harness, athlete)
    [first] = load_draws(harness)
    with harness.runtime.db.transaction() as session:
        session.execute(delete(Survey))
        session.execute(delete(Decision))
        session.execute(delete(DelayDraw))
        session.execute(update(Run).values(undecided_since=harness.clock()))

    decide_runs.process_due(harness.runtime)

    [second] = load_draws(harness)
    assert (second.delay_h, second.odds) == (first.delay_h, first.odds)


def test_an_edit_keeps_the_draw_and_moves_the_question(
    harness: Harness, athlete: Athlete
) -> None:
    run = finish_run(harness, athlete)
    planned_end = load_standing_survey(harness).expires_at - 24 * HOUR
    force_draw(harness, 4)
    # By now it could only be drawn among the later ones.
    harness.advance_clock(hours=2)
    with harness.world.transaction():
        edit = activities.ActivityEdit(moving_s=3000)
        activities.edit_activity(harness.world, run, edit)
    pull.pull_run(harness.runtime, RUNNER_ID, run.id, lane=Lane.NEW_RUN)

    decide_runs.process_due(harness.runtime)

    [draw], survey = load_draws(harness), load_standing_survey(harness)
    ended_at = survey.expires_at - 24 * HOUR
    assert ended_at == planned_end - timedelta(minutes=10)
    assert (draw.delay_h, len(draw.odds)) == (4, 5)
    assert survey.send_at == draw.asks_at == ended_at + 4 * HOUR


def test_a_draw_stands_after_the_runner_has_switched_it_off(
    harness: Harness, athlete: Athlete
) -> None:
    run = finish_run(harness, athlete)
    force_draw(harness, 6)
    preferences.save_preferences(harness.runtime, RUNNER_ID, {"random_delay": False})
    with harness.world.transaction():
        edit = activities.ActivityEdit(moving_s=3000)
        activities.edit_activity(harness.world, run, edit)
    pull.pull_run(harness.runtime, RUNNER_ID, run.id, lane=Lane.NEW_RUN)

    decide_runs.process_due(harness.runtime)

    [draw], survey = load_draws(harness), load_standing_survey(harness)
    assert survey.send_at == draw.asks_at == survey.expires_at - 18 * HOUR


def test_the_days_second_run_has_a_draw_of_its_own(
    harness: Harness, athlete: Athlete
) -> None:
    finish_run(harness, athlete)
    force_draw(harness, 6)
    harness.advance_clock(hours=4)

    finish_run(harness, athlete)

    first, second = load_draws(harness)
    survey = load_standing_survey(harness)
    assert first.delay_h == 6
    assert first.run_id != second.run_id == survey.run_id
    assert survey.send_at == second.asks_at
    assert count_kinds(harness) == ["survey", "survey"]


def test_a_check_in_that_is_planned_gives_way_to_the_drawn_question(
    harness: Harness, athlete: Athlete
) -> None:
    preferences.save_preferences(harness.runtime, RUNNER_ID, {"checkins": True})
    with harness.runtime.db.transaction() as session:
        session.execute(delete(CheckinDraw))
        day = harness.clock().date()
        session.add(
            CheckinDraw(
                runner_id=RUNNER_ID,
                local_day=day,
                probability=0.25,
                drawn=True,
                reason="drawn",
                decided_at=harness.clock(),
            )
        )
        checkin = Survey(
            runner_id=RUNNER_ID,
            kind="checkin",
            token_hash="0" * 64,
            instrument="checkin-1",
            reversed_order=False,
            local_day=day,
            created_at=harness.clock(),
            send_at=harness.clock() + HOUR,
            expires_at=harness.clock() + 5 * HOUR,
        )
        session.add(checkin)

    finish_run(harness, athlete)

    survey = load_standing_survey(harness)
    assert survey.kind == "run"
    assert len(load_draws(harness)) == 1


def test_the_dashboard_does_not_ask_before_the_drawn_time(
    harness: Harness, athlete: Athlete
) -> None:
    finish_run(harness, athlete)
    force_draw(harness, 6)
    [draw] = load_draws(harness)
    assert draw.run_id

    before = load_run_detail(harness.runtime, RUNNER_ID, draw.run_id)
    harness.advance_clock(hours=6)
    after = load_run_detail(harness.runtime, RUNNER_ID, draw.run_id)

    assert before is not None
    assert (before.can_answer, before.is_asked_later) == (True, True)
    assert after is not None
    assert (after.can_answer, after.is_asked_later) == (True, False)


def test_a_mail_that_cannot_leave_about_the_drawn_time_is_not_sent(
    harness: Harness, athlete: Athlete
) -> None:
    finish_run(harness, athlete)

    with harness.runtime.db.read_only() as session:
        mail = session.scalars(select(Mail).where(Mail.kind == "survey")).one()
    assert mail.due_at
    assert mail.stale_at == mail.due_at + HOUR


def test_the_draw_goes_with_the_consent(harness: Harness, athlete: Athlete) -> None:
    finish_run(harness, athlete)
    answer.record_answer(
        harness.runtime, token=read_pending_token(harness.runtime), values={"mood": 1}
    )

    withdraw_consent.withdraw_mood_consent(harness.runtime, RUNNER_ID)

    assert load_draws(harness) == []


def test_a_run_that_goes_and_comes_back_has_its_draw_again(
    harness: Harness, athlete: Athlete
) -> None:
    run = finish_run(harness, athlete)
    [first] = load_draws(harness)
    with harness.runtime.db.transaction() as session:
        session.execute(delete(Run))
    assert [draw.run_id for draw in load_draws(harness)] == [None]

    pull.pull_run(harness.runtime, RUNNER_ID, run.id, lane=Lane.NEW_RUN)
    decide_runs.process_due(harness.runtime)

    [second] = load_draws(harness)
    assert second.run_id is not None
    assert (second.id, second.delay_h) == (first.id, first.delay_h)
