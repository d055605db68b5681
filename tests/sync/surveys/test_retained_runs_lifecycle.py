"""What was kept stays through goodbyes and returns, and goes with its answer."""

from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select

from sync.analytics.dataset.overview import load_dashboard
from sync.models import Answer
from sync.runners import connect, disconnect, sign_in, withdraw_consent
from sync.runs import pull, reconcile
from sync.simulator import activities, grants
from sync.simulator.records import Athlete
from sync.strava import Lane
from sync.surveys.answering import retained_runs, run_detail
from tests.support.harness import ALL_CONSENTS, SCOPE, Harness
from tests.sync.surveys.test_retained_runs import (
    LIMIT_DAYS,
    ON_BOTH,
    add_answered_run,
    advance_days,
    athlete,
    database_url,
    get_run,
    limited_harness,
    list_runs,
    runner_id,
)

__all__ = ["athlete", "database_url", "limited_harness", "runner_id"]


@ON_BOTH
def test_disconnecting_leaves_the_own_log(
    limited_harness: Harness, athlete: Athlete, runner_id: int
) -> None:
    add_answered_run(limited_harness, athlete)
    limited_harness.advance_clock(days=1)
    add_answered_run(limited_harness, athlete, keep=False)

    disconnect.disconnect(limited_harness.runtime, runner_id)

    assert [(run.source, run.distance_m) for run in list_runs(limited_harness)] == [
        ("hand", 8200)
    ]
    assert load_dashboard(limited_harness.runtime, runner_id).answered_count == 1


def test_a_run_deleted_at_strava_stays_in_the_own_log(
    limited_harness: Harness, athlete: Athlete, runner_id: int
) -> None:
    run, _ = add_answered_run(limited_harness, athlete)
    with limited_harness.world.transaction():
        activities.delete_activity(limited_harness.world, run)

    pull.confirm_gone(limited_harness.runtime, runner_id, run.id, lane=Lane.RECONCILE)

    assert get_run(limited_harness).source == "hand"


@ON_BOTH
def test_a_run_that_comes_back_takes_its_place_again(
    limited_harness: Harness, athlete: Athlete, runner_id: int
) -> None:
    add_answered_run(limited_harness, athlete)
    disconnect.disconnect(limited_harness.runtime, runner_id)
    own = get_run(limited_harness)

    relink_runner(limited_harness, athlete, runner_id)
    limited_harness.process_all_due()
    back = get_run(limited_harness)
    disconnect.disconnect(limited_harness.runtime, runner_id)

    assert (own.source, back.source, get_run(limited_harness).source) == (
        "hand",
        "strava",
        "hand",
    )
    with limited_harness.runtime.db.read_only() as session:
        assert session.scalars(select(Answer.run_id)).all() == [
            get_run(limited_harness).id
        ]


def relink_runner(harness: Harness, athlete: Athlete, runner_id: int) -> None:
    token = sign_in.sign_in(harness.runtime, runner_id)
    url = connect.begin_link(
        harness.runtime,
        browser="browser",
        given_consents=ALL_CONSENTS,
        sign_in_token=token,
    )
    with harness.world.transaction():
        code = grants.issue_code(harness.world, athlete.id, SCOPE)
    connect.finish_link(
        harness.runtime,
        state=parse_qs(urlsplit(url).query)["state"][0],
        browser="browser",
        code=code,
        scope=SCOPE,
        sign_in_token=token,
    )


def test_deleting_the_answer_deletes_what_was_kept_with_it(
    limited_harness: Harness, athlete: Athlete, runner_id: int
) -> None:
    add_answered_run(limited_harness, athlete)
    advance_days(limited_harness, LIMIT_DAYS + 1)

    run_detail.delete_answer(
        limited_harness.runtime, runner_id, get_run(limited_harness).id
    )

    assert list_runs(limited_harness) == []


def test_taking_back_the_consent_to_moods_empties_the_own_log(
    limited_harness: Harness, athlete: Athlete, runner_id: int
) -> None:
    add_answered_run(limited_harness, athlete)
    advance_days(limited_harness, LIMIT_DAYS + 1)

    withdraw_consent.withdraw_mood_consent(limited_harness.runtime, runner_id)

    assert list_runs(limited_harness) == []


def test_nobody_keeps_or_drops_for_another(
    limited_harness: Harness, athlete: Athlete, runner_id: int
) -> None:
    add_answered_run(limited_harness, athlete)
    other = limited_harness.link_runner(limited_harness.add_athlete(8))

    retained_runs.set_retained_for_run(
        limited_harness.runtime, other, get_run(limited_harness).id, retain=False
    )

    assert (
        retained_runs.load_offer_for_run(
            limited_harness.runtime, other, get_run(limited_harness).id
        )
        is None
    )
    kept = retained_runs.load_offer_for_run(
        limited_harness.runtime, runner_id, get_run(limited_harness).id
    )
    assert kept
    assert kept.is_retained


def test_reconciling_brings_nothing_back_that_is_too_old(
    limited_harness: Harness, athlete: Athlete, runner_id: int
) -> None:
    add_answered_run(limited_harness, athlete)
    advance_days(limited_harness, LIMIT_DAYS + 1)

    reconcile.process_due(limited_harness.runtime)

    assert get_run(limited_harness).source == "hand"
