"""Accounts that nobody uses: one warning after a year, gone a month later."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from sync.models import Counter, Mail, Runner
from sync.runners import deletion, disconnect, inactivity, sign_in
from sync.runners import purge as runners_purge
from sync.surveys.answering import answer, pre_run
from sync.vocabulary import RemovalKind
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_mail, read_pending_token
from tests.sync.runners.test_deletion import begin_removal
from tests.sync.runners.test_disconnect import count_rows

YEAR_D, MONTH_D = 365, 30


@pytest.fixture
def inactive_runner_id(harness: Harness) -> int:
    """Return a runner who linked Strava and never came back."""
    return harness.link_runner(harness.add_athlete())


def advance_month(harness: Harness) -> None:
    """Let time pass, with the hourly round at its end and the minute's after it."""
    harness.advance_clock(days=MONTH_D)
    runners_purge.purge_expired(harness.runtime)
    disconnect.process_removals(harness.runtime)


def list_mail_kinds(harness: Harness) -> list[str]:
    with harness.runtime.db.read_only() as session:
        return list(session.scalars(select(Mail.kind).order_by(Mail.id)))


def test_a_year_without_a_visit_brings_one_warning(
    harness: Harness, inactive_runner_id: int
) -> None:
    harness.advance_clock(days=YEAR_D - 1)
    runners_purge.purge_expired(harness.runtime)
    early = list_mail_kinds(harness)

    for _ in range(5):
        harness.advance_clock(days=1)
        runners_purge.purge_expired(harness.runtime)

    assert "inactive" not in early
    assert list_mail_kinds(harness).count("inactive") == 1
    assert count_rows(harness, Runner) == 1


def test_a_month_after_the_warning_everything_goes_with_a_receipt(
    harness: Harness, inactive_runner_id: int
) -> None:
    harness.advance_clock(days=YEAR_D)
    runners_purge.purge_expired(harness.runtime)
    harness.advance_clock(days=MONTH_D - 1)
    runners_purge.purge_expired(harness.runtime)
    disconnect.process_removals(harness.runtime)
    early = count_rows(harness, Runner)

    harness.advance_clock(days=1)
    runners_purge.purge_expired(harness.runtime)
    disconnect.process_removals(harness.runtime)

    assert early == 1
    assert count_rows(harness, Runner) == 0
    assert list_mail_kinds(harness) == ["deleted"]
    assert harness.world.grants.get(7) is None
    with harness.runtime.db.read_only() as session:
        assert "inactive runner let go" in session.scalars(select(Counter.name)).all()


def stay_by_link(harness: Harness, runner_id: int) -> None:
    assert inactivity.keep_account(
        harness.runtime, read_pending_token(harness.runtime, "inactive")
    )


def sign_in_again(harness: Harness, runner_id: int) -> None:
    sign_in.sign_in(harness.runtime, runner_id)


def record_pre_run(harness: Harness, runner_id: int) -> None:
    token = pre_run.create_token(harness.runtime, runner_id)
    pre_run.record_mood(harness.runtime, token=token, mood=1)


def record_answer(harness: Harness, runner_id: int) -> None:
    athlete = harness.world.athletes.get(7)
    assert athlete
    run = harness.finish_run(athlete, ended_minutes_ago=30)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    answer.record_answer(
        harness.runtime, token=read_pending_token(harness.runtime), values={"mood": 1}
    )


@pytest.mark.parametrize(
    "comes_back", [stay_by_link, sign_in_again, record_pre_run, record_answer]
)
def test_any_sign_of_life_keeps_the_account_for_another_year(
    harness: Harness,
    inactive_runner_id: int,
    comes_back: Callable[[Harness, int], None],
) -> None:
    harness.advance_clock(days=YEAR_D)
    runners_purge.purge_expired(harness.runtime)
    harness.advance_clock(days=MONTH_D - 1)

    comes_back(harness, inactive_runner_id)
    for _ in range(12):
        advance_month(harness)
    kept = count_rows(harness, Runner)
    for _ in range(3):
        advance_month(harness)

    assert kept == 1
    assert count_rows(harness, Runner) == 0


def test_a_warning_that_came_late_leaves_its_month(
    harness: Harness, inactive_runner_id: int
) -> None:
    harness.advance_clock(days=3 * YEAR_D)  # the instance was switched off
    runners_purge.purge_expired(harness.runtime)
    runners_purge.purge_expired(harness.runtime)
    disconnect.process_removals(harness.runtime)
    at_once = count_rows(harness, Runner)

    advance_month(harness)

    assert (at_once, count_rows(harness, Runner)) == (1, 0)


def test_who_has_no_address_goes_without_a_word(harness: Harness) -> None:
    harness.link_runner(harness.add_athlete(), has_address=False)
    harness.advance_clock(days=YEAR_D)
    runners_purge.purge_expired(harness.runtime)
    early = count_rows(harness, Runner)

    advance_month(harness)

    assert (early, count_rows(harness, Runner)) == (1, 0)


def test_a_runner_seen_before_this_was_counted_is_as_old_as_their_account(
    harness: Harness, inactive_runner_id: int
) -> None:
    with harness.runtime.db.transaction() as session:
        session.execute(update(Runner).values(active_at=None))

    harness.advance_clock(days=YEAR_D)
    runners_purge.purge_expired(harness.runtime)

    until = read_pending_mail(harness.runtime, "inactive")["until"]
    assert until.startswith("2027-05-31")


def test_a_deletion_asked_for_is_not_warned_about(
    harness: Harness, inactive_runner_id: int
) -> None:
    harness.advance_clock(days=YEAR_D)
    deletion.request_deletion(harness.runtime, inactive_runner_id)

    runners_purge.purge_expired(harness.runtime)

    assert "inactive" not in list_mail_kinds(harness)


def test_the_link_takes_back_a_deletion_that_was_asked_for(
    harness: Harness, inactive_runner_id: int
) -> None:
    harness.advance_clock(days=YEAR_D)
    runners_purge.purge_expired(harness.runtime)
    deletion.request_deletion(harness.runtime, inactive_runner_id)

    kept = inactivity.keep_account(
        harness.runtime, read_pending_token(harness.runtime, "inactive")
    )
    harness.advance_clock(minutes=10)
    disconnect.process_removals(harness.runtime)

    assert kept
    assert count_rows(harness, Runner) == 1


def test_the_link_says_no_once_the_deletion_has_begun(
    harness: Harness, inactive_runner_id: int
) -> None:
    harness.advance_clock(days=YEAR_D)
    runners_purge.purge_expired(harness.runtime)
    deletion.request_deletion(harness.runtime, inactive_runner_id)
    harness.advance_clock(minutes=10)

    assert not inactivity.keep_account(
        harness.runtime, read_pending_token(harness.runtime, "inactive")
    )


def test_the_link_works_once_and_for_nobody_else(
    harness: Harness, inactive_runner_id: int
) -> None:
    harness.advance_clock(days=YEAR_D)
    runners_purge.purge_expired(harness.runtime)
    token = read_pending_token(harness.runtime, "inactive")

    assert not inactivity.keep_account(harness.runtime, "another-token")
    assert inactivity.keep_account(harness.runtime, token)
    assert not inactivity.keep_account(harness.runtime, token)


def test_a_link_that_kept_nothing_is_not_used_up(
    harness: Harness, inactive_runner_id: int
) -> None:
    harness.advance_clock(days=YEAR_D)
    runners_purge.purge_expired(harness.runtime)
    token = read_pending_token(harness.runtime, "inactive")
    deletion.request_deletion(harness.runtime, inactive_runner_id)

    begin_removal(harness, RemovalKind.DELETE)
    early = inactivity.keep_account(harness.runtime, token)
    begin_removal(harness, RemovalKind.DISCONNECT)

    assert not early
    assert inactivity.keep_account(harness.runtime, token)
    with harness.runtime.db.read_only() as session:
        assert session.get_one(Runner, inactive_runner_id).erase_at is None
