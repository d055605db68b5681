"""What was kept stays through goodbyes and returns, and goes with its answer."""

from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select

from sync.analytics.dataset.overview import dashboard
from sync.models import Answer
from sync.runners import connect, disconnect, withdraw_consent
from sync.runs import pull, reconcile
from sync.simulator import activities, grants
from sync.simulator.records import Athlete
from sync.strava import Lane
from sync.surveys.answering import retained_runs, run_detail
from tests.support.harness import ALL_BOXES, SCOPE, Stage
from tests.sync.surveys.test_retained_runs import (
    LIMIT_DAYS,
    ON_BOTH,
    all_runs,
    answered_run,
    athlete,
    database_url,
    days_later,
    runner_id,
    strict,
    the_run,
)

__all__ = ["athlete", "database_url", "runner_id", "strict"]


@ON_BOTH
def test_disconnecting_leaves_the_own_log(
    strict: Stage, athlete: Athlete, runner_id: int
) -> None:
    answered_run(strict, athlete)
    strict.pass_time(days=1)
    answered_run(strict, athlete, keep=False)

    disconnect.disconnect(strict.runtime, runner_id)

    assert [(run.source, run.distance_m) for run in all_runs(strict)] == [
        ("hand", 8200)
    ]
    assert dashboard(strict.runtime, runner_id).answered == 1


def test_a_run_deleted_at_strava_stays_in_the_own_log(
    strict: Stage, athlete: Athlete, runner_id: int
) -> None:
    run, _ = answered_run(strict, athlete)
    with strict.world.change():
        activities.delete(strict.world, run)

    pull.confirm_gone(strict.runtime, runner_id, run.id, lane=Lane.SWEEP)

    assert the_run(strict).source == "hand"


@ON_BOTH
def test_a_run_that_comes_back_takes_its_place_again(
    strict: Stage, athlete: Athlete, runner_id: int
) -> None:
    answered_run(strict, athlete)
    disconnect.disconnect(strict.runtime, runner_id)
    own = the_run(strict)

    link_again(strict, athlete, runner_id)
    strict.work()
    back = the_run(strict)
    disconnect.disconnect(strict.runtime, runner_id)

    assert (own.source, back.source, the_run(strict).source) == (
        "hand",
        "strava",
        "hand",
    )
    with strict.runtime.db.reading() as session:
        assert session.scalars(select(Answer.run_id)).all() == [the_run(strict).id]


def link_again(stage: Stage, athlete: Athlete, runner_id: int) -> None:
    url = connect.begin(
        stage.runtime, browser="browser", consents=ALL_BOXES, runner_id=runner_id
    )
    with stage.world.change():
        code = grants.give_code(stage.world, athlete.id, SCOPE)
    connect.finish(
        stage.runtime,
        state=parse_qs(urlsplit(url).query)["state"][0],
        browser="browser",
        code=code,
        scope=SCOPE,
    )


def test_deleting_the_answer_deletes_what_was_kept_with_it(
    strict: Stage, athlete: Athlete, runner_id: int
) -> None:
    answered_run(strict, athlete)
    days_later(strict, LIMIT_DAYS + 1)

    run_detail.remove_answer(strict.runtime, runner_id, the_run(strict).id)

    assert all_runs(strict) == []


def test_taking_back_the_consent_to_moods_empties_the_own_log(
    strict: Stage, athlete: Athlete, runner_id: int
) -> None:
    answered_run(strict, athlete)
    days_later(strict, LIMIT_DAYS + 1)

    withdraw_consent.withdraw_mood(strict.runtime, runner_id)

    assert all_runs(strict) == []


def test_nobody_keeps_or_drops_for_another(
    strict: Stage, athlete: Athlete, runner_id: int
) -> None:
    answered_run(strict, athlete)
    other = strict.link(strict.athlete(8))

    retained_runs.keep_for_run(strict.runtime, other, the_run(strict).id, keep=False)

    assert retained_runs.of_run(strict.runtime, other, the_run(strict).id) is None
    kept = retained_runs.of_run(strict.runtime, runner_id, the_run(strict).id)
    assert kept
    assert kept.is_kept


def test_the_sweep_brings_nothing_back_that_is_too_old(
    strict: Stage, athlete: Athlete, runner_id: int
) -> None:
    answered_run(strict, athlete)
    days_later(strict, LIMIT_DAYS + 1)

    reconcile.drain(strict.runtime)

    assert the_run(strict).source == "hand"
