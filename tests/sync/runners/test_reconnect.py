"""Linking again after a new text, or with a narrower scope: all is looked through."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update
from typing_extensions import override

from sync.consent_version import VERSION
from sync.models import Backfill, Connection, Consent, Run, Sweep
from sync.runners import consents
from sync.runs import backfill, reconcile
from sync.strava import Page
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.harness import Stage
from tests.sync.inbox.test_handle import athlete_of
from tests.sync.runners.test_disconnect import rows, the_runner

WITH_PRIVATE = "read,activity:read_all"
HALF_WAY: dict[str, Any] = {"next_page": 7}


@pytest.fixture
def missed(stage: Stage) -> Stage:
    """Return a stage where an event was settled without a read: the text was new."""
    athlete = stage.athlete()
    stage.run(athlete, ended_minutes_ago=3 * 24 * 60)
    stage.link(athlete)
    stage.work()
    reconcile.drain(stage.runtime)
    with stage.runtime.db.transaction() as session:
        session.execute(update(Consent).values(version="2025-01"))
    stage.pass_time(minutes=1)
    run = stage.run(athlete, ended_minutes_ago=20)
    stage.tell(athlete, run.id, "create")
    stage.work()
    stage.pass_time(days=20)
    assert rows(stage, Run) == 1
    return stage


def links_again(stage: Stage) -> None:
    stage.link(athlete_of(stage))


def agrees_in_the_settings(stage: Stage) -> None:
    kinds = ("strava", "mood", "mail", "adult")
    consents.agree_again(stage.runtime, the_runner(stage), kinds)


@pytest.mark.parametrize("agrees", [links_again, agrees_in_the_settings])
@pytest.mark.parametrize("was_under_way", [False, True])
def test_agreeing_finds_what_was_missed(
    missed: Stage, agrees: Any, *, was_under_way: bool
) -> None:
    if was_under_way:
        with missed.runtime.db.transaction() as session:
            older = session.scalars(select(Run.started_at)).one()
            half_way = {"before": older, "down_to": older, **HALF_WAY}
            session.execute(update(Sweep).values(**half_way))

    agrees(missed)
    reconcile.drain(missed.runtime)

    assert rows(missed, Run) == 2


def test_signing_in_again_looks_for_nothing(stage: Stage) -> None:
    stage.link(stage.athlete())
    stage.work()
    with stage.runtime.db.reading() as session:
        before = session.scalars(select(Sweep.due_at)).one()

    links_again(stage)

    with stage.runtime.db.reading() as session:
        assert session.scalars(select(Sweep.due_at)).one() == before


class Answers(HttpStrava):
    """Lets something happen while a page is on its way."""

    meanwhile: Callable[[], None]

    @override
    def page(self, access_token: str, **wishes: Any) -> Page:
        found = super().page(access_token, **wishes)
        self.meanwhile()
        return found


def test_a_page_of_the_import_before_moves_no_new_one_on(stage: Stage) -> None:
    stage.run(stage.athlete(), ended_minutes_ago=60)
    runner_id = stage.link(athlete_of(stage))
    slow = Answers(stage.runtime.settings, budget=Budget("", clock=stage.clock))

    def links_anew() -> None:
        slow.meanwhile = lambda: None
        stage.pass_time(seconds=1)
        with stage.runtime.db.transaction() as session:
            session.execute(update(Connection).values(broken_at=stage.clock()))
        links_again(stage)

    slow.meanwhile = links_anew
    backfill.drain(replace(stage.runtime, strava=slow))

    with stage.runtime.db.reading() as session:
        begun = session.get_one(Backfill, runner_id)
    assert (begun.next_page, begun.activities_seen) == (1, 0)
    stage.pass_time(minutes=6)
    stage.work()
    assert rows(stage, Run) == 1


def test_a_narrower_scope_takes_the_private_consent_back(stage: Stage) -> None:
    athlete = stage.athlete()
    for days_ago, visibility in ((3, "everyone"), (4, "only_me")):
        minutes_ago = days_ago * 24 * 60
        stage.run(athlete, ended_minutes_ago=minutes_ago, visibility=visibility)
    runner_id = stage.link(athlete, scope=WITH_PRIVATE)
    agrees_to_private(stage)
    stage.work()
    early = rows(stage, Run)

    links_again(stage)
    reconcile.drain(stage.runtime)

    with stage.runtime.db.reading() as session:
        private = select(Consent.withdrawn_at).where(Consent.kind == "private")
        assert session.scalars(private).all() == [stage.clock()]
    assert (early, rows(stage, Run)) == (2, 1)
    assert the_runner(stage) == runner_id


def agrees_to_private(stage: Stage) -> None:
    with stage.runtime.db.transaction() as session:
        session.add(
            Consent(
                runner_id=the_runner(stage),
                kind="private",
                version=VERSION,
                given_at=stage.clock(),
            )
        )
