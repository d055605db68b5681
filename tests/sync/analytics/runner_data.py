"""One runner's runs and answers, written straight into the tables."""

import csv
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import update

from sync.models import Answer, Run, Runner
from sync.portability.study_files import build_study_export
from sync.runners.store import bump_data_version
from sync.runtime import Runtime
from tests.support.clock import ManualClock

FIRST = datetime(2026, 1, 5, 7, tzinfo=UTC)


class RunnerData:
    """One runner's runs and answers, written straight into the tables."""

    def __init__(self, runtime: Runtime, clock: ManualClock) -> None:
        self.runtime, self.clock = runtime, clock
        with runtime.db.transaction() as session:
            runner = Runner(
                created_at=FIRST,
                vault_key=runtime.sealer.new_vault_key(),
                zone="Europe/Berlin",
            )
            session.add(runner)
            session.flush()
            self.runner_id = runner.id
            self.vault = runtime.sealer.open_vault(runner.vault_key)

    def add_run(self, number: int, km: float, mood: int | None, **more: Any) -> None:
        started_at = FIRST + timedelta(days=number)
        facts: dict[str, Any] = {
            "sport": "Run",
            "start_known": True,
            "race": False,
            "treadmill": False,
            "with_others": False,
            "said": {},
        } | more
        values, tags = facts.pop("said"), facts.pop("tags", {})
        started_at += timedelta(hours=facts.pop("hours_later", 0))
        answered_h = facts.pop("answered_h", 0.5)
        with self.runtime.db.transaction() as session:
            session.add(
                Run(
                    id=number,
                    runner_id=self.runner_id,
                    source="strava",
                    source_id=number,
                    started_at=started_at,
                    offset_s=3600,
                    local_day=started_at.date(),
                    distance_m=1000 * km,
                    moving_s=int(360 * km),
                    elapsed_s=int(370 * km),
                    manual=False,
                    visibility="everyone",
                    fetched_at=started_at + timedelta(days=1),
                    **facts,
                )
            )
            session.flush()
            if mood is not None:
                at = started_at + timedelta(seconds=370 * km, hours=answered_h)
                self._add_answer(
                    session, at, {"mood": mood} | values, run_id=number, tags=tags
                )
            bump_data_version(session, self.runner_id)

    def add_checkin(self, number: float, mood: int) -> None:
        with self.runtime.db.transaction() as session:
            at = FIRST + timedelta(days=number, hours=5)
            self._add_answer(session, at, {"mood": mood, "stress": 2}, kind="checkin")
            bump_data_version(session, self.runner_id)

    def _add_answer(
        self, session: Any, at: datetime, values: dict[str, int], **more: Any
    ) -> None:
        facts = {"kind": "run", "run_id": None, "tags": {}} | more
        session.add(
            Answer(
                runner_id=self.runner_id,
                instrument="run-1",
                reversed_order=False,
                answered_at=at,
                sealed=self.vault.seal(values),
                **facts,
            )
        )

    def update_run(self, number: int, **values: Any) -> None:
        with self.runtime.db.transaction() as session:
            session.execute(update(Run).where(Run.id == number).values(**values))
            bump_data_version(session, self.runner_id)

    def read_study_table(self, name: str) -> list[dict[str, str]]:
        """Read one of the files that are handed out for study."""
        with self.runtime.db.read_only() as session:
            tables = build_study_export(self.runtime, session, self.runner_id)
        return list(csv.DictReader(tables[name].splitlines()))

    def add_correlated_runs(self, count: int) -> None:
        """Write runs whose mood follows their distance, all but perfectly."""
        random = np.random.default_rng(1)
        for number in range(1, count + 1):
            km = float(random.uniform(4, 24))
            self.add_run(
                number, km, int(np.clip((km - 14) / 4 + random.normal(), -2, 2))
            )
