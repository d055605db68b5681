"""Accounts that nobody uses: one warning after a year, gone a month later."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from sync.models import Mail, Runner, Tally
from sync.runners import deletion, disconnect, inactivity, sign_in
from sync.runners import purge as runners_purge
from sync.surveys.answering import answer, pre_run
from tests.support.harness import Stage
from tests.support.outbox_reader import token_in, waiting
from tests.sync.runners.test_disconnect import rows

YEAR_D, MONTH_D = 365, 30


@pytest.fixture
def away(stage: Stage) -> int:
    """Return a runner who linked Strava and never came back."""
    return stage.link(stage.athlete())


def a_month_passes(stage: Stage) -> None:
    """Let time pass, with the hourly round at its end and the minute's after it."""
    stage.pass_time(days=MONTH_D)
    runners_purge.tidy(stage.runtime)
    disconnect.resume(stage.runtime)


def kinds(stage: Stage) -> list[str]:
    with stage.runtime.db.reading() as session:
        return list(session.scalars(select(Mail.kind).order_by(Mail.id)))


def test_a_year_without_a_visit_brings_one_warning(stage: Stage, away: int) -> None:
    stage.pass_time(days=YEAR_D - 1)
    runners_purge.tidy(stage.runtime)
    early = kinds(stage)

    for _ in range(5):
        stage.pass_time(days=1)
        runners_purge.tidy(stage.runtime)

    assert "inactive" not in early
    assert kinds(stage).count("inactive") == 1
    assert rows(stage, Runner) == 1


def test_a_month_after_the_warning_everything_goes_with_a_receipt(
    stage: Stage, away: int
) -> None:
    stage.pass_time(days=YEAR_D)
    runners_purge.tidy(stage.runtime)
    stage.pass_time(days=MONTH_D - 1)
    runners_purge.tidy(stage.runtime)
    disconnect.resume(stage.runtime)
    early = rows(stage, Runner)

    stage.pass_time(days=1)
    runners_purge.tidy(stage.runtime)
    disconnect.resume(stage.runtime)

    assert early == 1
    assert rows(stage, Runner) == 0
    assert kinds(stage) == ["deleted"]
    assert stage.world.grants.get(7) is None
    with stage.runtime.db.reading() as session:
        assert "inactive runner let go" in session.scalars(select(Tally.name)).all()


def stays_by_link(stage: Stage, runner_id: int) -> None:
    assert inactivity.stay(stage.runtime, token_in(stage.runtime, "inactive"))


def signs_in(stage: Stage, runner_id: int) -> None:
    sign_in.sign_in(stage.runtime, runner_id)


def says_how_it_was_before(stage: Stage, runner_id: int) -> None:
    token = pre_run.token_for(stage.runtime, runner_id)
    pre_run.record(stage.runtime, token=token, mood=1)


def answers(stage: Stage, runner_id: int) -> None:
    athlete = stage.world.athletes.get(7)
    assert athlete
    run = stage.run(athlete, ended_minutes_ago=30)
    stage.tell(athlete, run.id, "create")
    stage.work()
    answer.record(stage.runtime, token=token_in(stage.runtime), values={"mood": 1})


@pytest.mark.parametrize(
    "comes_back", [stays_by_link, signs_in, says_how_it_was_before, answers]
)
def test_any_sign_of_life_keeps_the_account_for_another_year(
    stage: Stage, away: int, comes_back: Callable[[Stage, int], None]
) -> None:
    stage.pass_time(days=YEAR_D)
    runners_purge.tidy(stage.runtime)
    stage.pass_time(days=MONTH_D - 1)

    comes_back(stage, away)
    for _ in range(12):
        a_month_passes(stage)
    kept = rows(stage, Runner)
    for _ in range(3):
        a_month_passes(stage)

    assert kept == 1
    assert rows(stage, Runner) == 0


def test_a_warning_that_came_late_leaves_its_month(stage: Stage, away: int) -> None:
    stage.pass_time(days=3 * YEAR_D)  # the instance was switched off
    runners_purge.tidy(stage.runtime)
    runners_purge.tidy(stage.runtime)
    disconnect.resume(stage.runtime)
    at_once = rows(stage, Runner)

    a_month_passes(stage)

    assert (at_once, rows(stage, Runner)) == (1, 0)


def test_who_has_no_address_goes_without_a_word(stage: Stage) -> None:
    stage.link(stage.athlete(), address=False)
    stage.pass_time(days=YEAR_D)
    runners_purge.tidy(stage.runtime)
    early = rows(stage, Runner)

    a_month_passes(stage)

    assert (early, rows(stage, Runner)) == (1, 0)


def test_a_runner_seen_before_this_was_counted_is_as_old_as_their_account(
    stage: Stage, away: int
) -> None:
    with stage.runtime.db.transaction() as session:
        session.execute(update(Runner).values(active_at=None))

    stage.pass_time(days=YEAR_D)
    runners_purge.tidy(stage.runtime)

    until = waiting(stage.runtime, "inactive")["until"]
    assert until.startswith("2027-05-31")


def test_a_deletion_asked_for_is_not_warned_about(stage: Stage, away: int) -> None:
    stage.pass_time(days=YEAR_D)
    deletion.ask(stage.runtime, away)

    runners_purge.tidy(stage.runtime)

    assert "inactive" not in kinds(stage)


def test_the_link_takes_back_a_deletion_that_was_asked_for(
    stage: Stage, away: int
) -> None:
    stage.pass_time(days=YEAR_D)
    runners_purge.tidy(stage.runtime)
    deletion.ask(stage.runtime, away)

    kept = inactivity.stay(stage.runtime, token_in(stage.runtime, "inactive"))
    stage.pass_time(minutes=10)
    disconnect.resume(stage.runtime)

    assert kept
    assert rows(stage, Runner) == 1


def test_the_link_says_no_once_the_deletion_has_begun(stage: Stage, away: int) -> None:
    stage.pass_time(days=YEAR_D)
    runners_purge.tidy(stage.runtime)
    deletion.ask(stage.runtime, away)
    stage.pass_time(minutes=10)

    assert not inactivity.stay(stage.runtime, token_in(stage.runtime, "inactive"))


def test_the_link_works_once_and_for_nobody_else(stage: Stage, away: int) -> None:
    stage.pass_time(days=YEAR_D)
    runners_purge.tidy(stage.runtime)
    token = token_in(stage.runtime, "inactive")

    assert not inactivity.stay(stage.runtime, "another-token")
    assert inactivity.stay(stage.runtime, token)
    assert not inactivity.stay(stage.runtime, token)
