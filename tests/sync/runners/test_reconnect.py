"""Linking again after a new text, or with a narrower scope: all is looked through."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update
from typing_extensions import override

from sync.consent_version import VERSION
from sync.models import Backfill, Connection, Consent, ReconcileState, Run
from sync.runners import consents
from sync.runs import backfill, reconcile
from sync.strava import ActivityPage
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from tests.support.harness import Harness
from tests.sync.inbox.test_handle import get_athlete
from tests.sync.runners.test_disconnect import count_rows, get_runner

WITH_PRIVATE = "read,activity:read_all"
HALF_WAY: dict[str, Any] = {"next_page": 7}


@pytest.fixture
def harness_with_skipped_event(harness: Harness) -> Harness:
    """Return a stage where an event was settled without a read: the text was new."""
    athlete = harness.add_athlete()
    harness.finish_run(athlete, ended_minutes_ago=3 * 24 * 60)
    harness.link_runner(athlete)
    harness.process_all_due()
    reconcile.process_due(harness.runtime)
    with harness.runtime.db.transaction() as session:
        session.execute(update(Consent).values(version="2025-01"))
    harness.advance_clock(minutes=1)
    run = harness.finish_run(athlete, ended_minutes_ago=20)
    harness.deliver_event(athlete, run.id, "create")
    harness.process_all_due()
    harness.advance_clock(days=20)
    assert count_rows(harness, Run) == 1
    return harness


def relink(harness: Harness) -> None:
    harness.link_runner(get_athlete(harness))


def renew_consent(harness: Harness) -> None:
    kinds = ("strava", "mood", "mail", "adult")
    consents.renew_consents(harness.runtime, get_runner(harness), kinds)


@pytest.mark.parametrize("agrees", [relink, renew_consent])
@pytest.mark.parametrize("was_under_way", [False, True])
def test_agreeing_finds_what_was_missed(
    harness_with_skipped_event: Harness, agrees: Any, *, was_under_way: bool
) -> None:
    if was_under_way:
        with harness_with_skipped_event.runtime.db.transaction() as session:
            older = session.scalars(select(Run.started_at)).one()
            half_way = {"before": older, "down_to": older, **HALF_WAY}
            session.execute(update(ReconcileState).values(**half_way))

    agrees(harness_with_skipped_event)
    reconcile.process_due(harness_with_skipped_event.runtime)

    assert count_rows(harness_with_skipped_event, Run) == 2


def test_signing_in_again_looks_for_nothing(harness: Harness) -> None:
    harness.link_runner(harness.add_athlete())
    harness.process_all_due()
    with harness.runtime.db.read_only() as session:
        before = session.scalars(select(ReconcileState.due_at)).one()

    relink(harness)

    with harness.runtime.db.read_only() as session:
        assert session.scalars(select(ReconcileState.due_at)).one() == before


class InterruptedListStrava(HttpStrava):
    """Lets something happen while a page is on its way."""

    meanwhile: Callable[[], None]

    @override
    def page(self, access_token: str, **options: Any) -> ActivityPage:
        listed_page = super().page(access_token, **options)
        self.meanwhile()
        return listed_page


def test_a_page_of_the_import_before_moves_no_new_one_on(harness: Harness) -> None:
    harness.finish_run(harness.add_athlete(), ended_minutes_ago=60)
    runner_id = harness.link_runner(get_athlete(harness))
    slow = InterruptedListStrava(
        harness.runtime.settings, budget=Budget("", clock=harness.clock)
    )

    def links_anew() -> None:
        slow.meanwhile = lambda: None
        harness.advance_clock(seconds=1)
        with harness.runtime.db.transaction() as session:
            session.execute(update(Connection).values(broken_at=harness.clock()))
        relink(harness)

    slow.meanwhile = links_anew
    backfill.process_due(replace(harness.runtime, strava=slow))

    with harness.runtime.db.read_only() as session:
        begun = session.get_one(Backfill, runner_id)
    assert (begun.next_page, begun.activities_seen) == (1, 0)
    harness.advance_clock(minutes=6)
    harness.process_all_due()
    assert count_rows(harness, Run) == 1


def test_a_narrower_scope_takes_the_private_consent_back(harness: Harness) -> None:
    athlete = harness.add_athlete()
    for days_ago, visibility in ((3, "everyone"), (4, "only_me")):
        minutes_ago = days_ago * 24 * 60
        harness.finish_run(
            athlete, ended_minutes_ago=minutes_ago, visibility=visibility
        )
    runner_id = harness.link_runner(athlete, scope=WITH_PRIVATE)
    grant_private_scope(harness)
    harness.process_all_due()
    early = count_rows(harness, Run)

    relink(harness)
    reconcile.process_due(harness.runtime)

    with harness.runtime.db.read_only() as session:
        private = select(Consent.withdrawn_at).where(Consent.kind == "private")
        assert session.scalars(private).all() == [harness.clock()]
    assert (early, count_rows(harness, Run)) == (2, 1)
    assert get_runner(harness) == runner_id


def grant_private_scope(harness: Harness) -> None:
    with harness.runtime.db.transaction() as session:
        session.add(
            Consent(
                runner_id=get_runner(harness),
                kind="private",
                version=VERSION,
                given_at=harness.clock(),
            )
        )
