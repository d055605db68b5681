"""A runner's past, written straight into the tables."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sync.crypto import Vault
from sync.models import Answer, Run, Runner
from sync.runtime import Runtime


def add_answered_runs(
    runtime: Runtime, runner_id: int, moods: Sequence[int], km: Sequence[float]
) -> None:
    """Store one answered run a day, the last one yesterday."""
    with runtime.db.transaction() as session:
        runner = session.get_one(Runner, runner_id)
        vault = runtime.sealer.open_vault(runner.vault_key)
        first = runtime.now() - timedelta(days=len(moods))
        for day, mood in enumerate(moods):
            at = first + timedelta(days=day)
            run = build_run(
                runner_id, day, at=at, distance_m=1000.0 * km[day % len(km)]
            )
            session.add(run)
            session.flush()
            session.add(build_answer(run, mood, vault, at=at + timedelta(hours=1)))
        runner.data_version += 1


def add_wellbeing_answers(
    runtime: Runtime, runner_id: int, values: Sequence[int]
) -> None:
    """Store one longer look every four weeks (0 to 25 before it counts fourfold)."""
    with runtime.db.transaction() as session:
        runner = session.get_one(Runner, runner_id)
        vault = runtime.sealer.open_vault(runner.vault_key)
        last_at = runtime.now() - timedelta(days=1)
        for number, value in enumerate(reversed(values)):
            parts = [value // 5 + (index < value % 5) for index in range(5)]
            answers = {
                f"who5_{index}": part for index, part in enumerate(parts, start=1)
            }
            session.add(
                Answer(
                    runner_id=runner_id,
                    kind="wellbeing",
                    instrument="who5-1",
                    reversed_order=False,
                    answered_at=last_at - timedelta(weeks=4 * number),
                    tags={},
                    sealed=vault.seal(answers),
                )
            )


def build_run(runner_id: int, number: int, *, at: datetime, distance_m: float) -> Run:
    return Run(
        runner_id=runner_id,
        source="strava",
        source_id=number,
        sport="Run",
        started_at=at,
        start_known=True,
        offset_s=0,
        local_day=at.date(),
        distance_m=distance_m,
        moving_s=1800,
        elapsed_s=1800,
        treadmill=number % 4 == 1,
        manual=False,
        race=False,
        with_others=number % 3 == 0,
        visibility="everyone",
        fetched_at=at + timedelta(hours=1),
    )


def build_answer(run: Run, mood: int, vault: Vault, *, at: datetime) -> Answer:
    return Answer(
        runner_id=run.runner_id,
        run_id=run.id,
        kind="run",
        instrument="run-1",
        reversed_order=False,
        answered_at=at,
        minutes_since_end=30,
        tags={},
        sealed=vault.seal({"mood": mood}),
    )
