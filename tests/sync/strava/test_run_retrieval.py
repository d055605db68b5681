"""Reading runs: one by one, page by page, and none that makes no sense."""

from datetime import UTC, datetime, timedelta

import pytest

from sync.errors import (
    NotOnStrava,
)
from sync.simulator.activities import RunUpload, upload_run
from sync.simulator.world import World
from sync.strava import Grant, Lane, OtherActivity, RemoteRun
from sync.strava.client import HttpStrava
from tests.support.clock import NOON
from tests.sync.strava.conftest import ATHLETE, finish_run


def test_a_run_is_read_for_one_request(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    run_id = finish_run(
        world, distance_m=8000, trainer=True, race=True, athlete_count=2
    )

    found = strava.run(grant.tokens.access, run_id, lane=Lane.NEW_RUN)

    assert isinstance(found, RemoteRun)
    assert (found.id, found.distance_m, found.zone) == (run_id, 8000, "Asia/Tokyo")
    assert found.treadmill
    assert found.race
    assert found.with_others
    assert world.usage.quarter_used == 1


def test_another_sport_is_not_a_run(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    ride_id = finish_run(world, sport_type="Ride")

    found = strava.run(grant.tokens.access, ride_id, lane=Lane.NEW_RUN)

    assert found == OtherActivity(ride_id, "Ride")


def test_what_is_not_there_is_not_on_strava(strava: HttpStrava, grant: Grant) -> None:
    with pytest.raises(NotOnStrava):
        strava.run(grant.tokens.access, 5, lane=Lane.NEW_RUN)


def test_a_page_holds_everything_newest_first(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    old, new = (
        finish_run(world, ended_minutes_ago=3000),
        finish_run(world, ended_minutes_ago=10),
    )
    ride = finish_run(world, sport_type="Ride", ended_minutes_ago=90_000)

    page = strava.page(
        grant.tokens.access, lane=Lane.RECONCILE, after=datetime(2020, 1, 1, tzinfo=UTC)
    )

    assert [run.id for run in page.runs] == [new, old]
    assert page.other_activities == (OtherActivity(ride, "Ride"),)
    assert (page.size, page.unreadable) == (3, ())
    assert page.oldest_day is not None
    assert page.oldest_day < page.runs[-1].local_day


def test_pages_follow_each_other_until_an_empty_one(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    with world.transaction():
        for minutes in range(201):
            upload_run(world, ATHLETE, RunUpload(ended_minutes_ago=60 * minutes))
    before = NOON

    pages = [
        strava.page(grant.tokens.access, lane=Lane.BACKFILL, page=number, before=before)
        for number in (1, 2, 3)
    ]

    assert [page.size for page in pages] == [200, 1, 0]
    assert pages[2].oldest_day is None


def test_a_page_between_two_moments(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    now = NOON
    for hours in (1, 30, 60):
        finish_run(world, ended_minutes_ago=60 * hours)

    page = strava.page(
        grant.tokens.access,
        lane=Lane.RECONCILE,
        after=now - timedelta(hours=40),
        before=now - timedelta(hours=20),
    )

    assert page.size == 1


def test_one_senseless_record_does_not_fail_its_page(
    world: World, strava: HttpStrava, grant: Grant
) -> None:
    good, bad = finish_run(world), finish_run(world, distance_m=-1)

    page = strava.page(grant.tokens.access, lane=Lane.BACKFILL)

    assert [run.id for run in page.runs] == [good]
    assert [(one.id, one.reason) for one in page.unreadable] == [
        (bad, "distance is out of range")
    ]
    alone = strava.run(grant.tokens.access, bad, lane=Lane.NEW_RUN)
    assert alone == page.unreadable[0]
