"""A whole past is decided about at once, with the same outcome as run by run."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from sync.models import Connection, Decision, Run, Runner
from sync.preferences import Preferences
from sync.surveys import store
from sync.surveys.policy.parameters import Policy
from sync.surveys.policy.run_decision import (
    Burst,
    Send,
    decide_run,
    find_bursts,
    minutes_since_end,
)
from sync.surveys.policy.situation import RunFacts, Situation
from sync.surveys.sending import decide_runs
from sync.time_zones import get_zone
from sync.vocabulary import AskFrequency
from tests.support.clock import NOON
from tests.support.harness import Harness

RUNS = 320
RUNNERS: Mapping[str, Mapping[str, Any]] = {
    "as most are": {},
    "without an address": {"address": False},
    "asked no more": {"ask": "never"},
    "to say how to go on": {"ask": AskFrequency.WAITING_FOR_CHOICE},
    "paused": {"paused_until": (NOON + timedelta(days=9)).isoformat()},
    "for long runs": {"ask": "long-runs", "ask_manual": True},
    "asleep by day": {"quiet_from": "08:00", "quiet_until": "23:59"},
}
REASONS = {
    "before linking",
    "no confirmed address",
    "stopped",
    "waiting for your choice",
    "paused",
    "entered by hand",
    "too short",
    "only long runs",
    "too old",
    "one of many at once",
    "quiet hours",
    "after the run",
}


def generate_past(runner_id: int) -> list[dict[str, Any]]:
    """Return runs that all began more than a day ago, of every sort that there is.

    A few went on for so long that they have only just ended.
    """
    rng = Random(runner_id)  # noqa: S311  chance for play, not for secrets
    sorts = list(product((False, True), repeat=5)) * RUNS
    return [
        _generate_run(runner_id, number, rng, sorts[number]) for number in range(RUNS)
    ]


def _generate_run(
    runner_id: int, number: int, rng: Random, sort: tuple[bool, ...]
) -> dict[str, Any]:
    imported, manual, short, known, endless = sort
    started_at = NOON - timedelta(minutes=25 * 60 + rng.randrange(600))
    if not endless:
        started_at -= timedelta(seconds=rng.randrange(10**8))
    elapsed_s = rng.randrange(85_000, 95_000) if endless else 3_000
    return {
        "runner_id": runner_id,
        "source": "strava",
        "source_id": number,
        "sport": "Run",
        "started_at": started_at,
        "start_known": known,
        "zone": "Europe/Berlin",
        "offset_s": 7200,
        "local_day": started_at.date(),
        "distance_m": rng.choice((300.0, 900.0)) if short else 8000.0 + number * 20,
        "moving_s": rng.choice((60, 2000)) if short else 2900,
        "elapsed_s": elapsed_s,
        "treadmill": False,
        "manual": manual,
        "race": number % 9 == 0,
        "with_others": False,
        "visibility": "everyone",
        "fetched_at": NOON,
        "hidden_at": NOON if number % 17 == 0 else None,
        # Some alone, some in a crowd, some at the very edge of the window.
        "undecided_since": NOON - timedelta(minutes=10 * (rng.randrange(99) ** 2)),
        "imported": imported,
    }


def decide_run_by_run(runner: Runner, runs: Sequence[RunFacts]) -> list[Any]:
    """Return what is to be stored, each run looked at among all the others."""
    policy = Policy()
    window = timedelta(minutes=policy.bulk_window_min)
    rows = []
    for run in runs:
        together = [
            other_run
            for other_run in runs
            if abs(other_run.learned_at - run.learned_at) <= window
        ]
        situation = Situation(
            has_address=runner.email_confirmed_at is not None,
            preferences=runner.preferences,
            zone=get_zone("Europe/Berlin"),
            recent_questions=(),
            runs_at_once=len(together),
            is_newest=run is together[-1],
            runs_since_asked=0,
        )
        verdict = decide_run(run, situation, policy, now=NOON)
        name = "send" if isinstance(verdict, Send) else "withhold"
        minutes = minutes_since_end(run, now=NOON)
        rows.append((run.run_id, name, verdict.reason, minutes, policy.to_dict(), NOON))
    return rows


@pytest.mark.parametrize("number", range(len(RUNNERS)), ids=list(RUNNERS))
def test_what_is_stored_is_what_the_policy_says_of_each_run(
    harness: Harness, number: int
) -> None:
    runner, facts, stored = _decide_imported(harness, number)

    assert stored == decide_run_by_run(runner, facts)


def test_each_reason_that_an_old_run_can_have_is_among_them(harness: Harness) -> None:
    found = {
        reason
        for number in range(len(RUNNERS))
        for _, _, reason, *_ in _decide_imported(harness, number)[2]
    }

    assert found >= REASONS


def _decide_imported(
    harness: Harness, number: int
) -> tuple[Runner, Sequence[RunFacts], list[tuple[Any, ...]]]:
    """Let the worker decide about a past; return what it knew and what it stored."""
    preferences = dict([*RUNNERS.values()][number])
    runner_id = harness.link_runner(
        harness.add_athlete(7 + number), has_address=preferences.pop("address", True)
    )
    with harness.runtime.db.transaction() as session:
        runner = session.get_one(Runner, runner_id)
        runner.preferences = Preferences.from_stored(preferences)
        session.get_one(Connection, runner_id).linked_at = NOON
        rows = generate_past(runner_id)
        for row in rows:
            row["source_id"] += RUNS * number
        session.execute(insert(Run), rows)
        session.flush()
        facts = store.load_undecided_runs(session, runner_id)

    decide_runs.process_due(harness.runtime)

    with harness.runtime.db.read_only() as session:
        runner = session.get_one(Runner, runner_id)
        decisions = session.scalars(
            select(Decision)
            .join(Run, Run.id == Decision.run_id)
            .where(Decision.runner_id == runner_id)
            .order_by(Run.started_at, Run.id)
        ).all()
        assert not store.load_undecided_runs(session, runner_id)
    return (
        runner,
        facts,
        [
            (
                decision.run_id,
                decision.verdict,
                decision.reason,
                decision.minutes_since_end,
                decision.policy,
                decision.decided_at,
            )
            for decision in decisions
        ],
    )


def _list_learned_times(moments: Sequence[int]) -> list[RunFacts]:
    return [
        RunFacts(
            run_id=number,
            started_at=NOON,
            ended_at=NOON,
            learned_at=NOON + timedelta(seconds=moment),
            local_day=datetime.date(NOON),
            distance_m=5000,
            moving_s=1500,
            is_manual=False,
        )
        for number, moment in enumerate(moments)
    ]


@given(st.lists(st.integers(0, 40).map(lambda minutes: minutes * 100), max_size=40))
def test_who_came_at_once_is_counted_as_if_each_looked_at_all(
    moments: list[int],
) -> None:
    runs, window = _list_learned_times(moments), timedelta(minutes=10)
    expected = []
    for run in runs:
        together = [
            one for one in runs if abs(one.learned_at - run.learned_at) <= window
        ]
        expected.append(Burst(len(together), is_last=together[-1] is run))

    assert find_bursts(runs, Policy()) == expected
