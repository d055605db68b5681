"""Worker processes that die where a test says: started, killed, counted."""

import json
import sys
from dataclasses import dataclass, field
from subprocess import PIPE, Popen
from typing import Any, Self

from sync.settings import Settings
from tests.support.harness import Harness
from tests.support.servers import TIMEOUT_S


@dataclass(frozen=True)
class WorkerJob:
    """One process's work; it kills itself with SIGKILL at step `kill_at_step`.

    A step is each moment right before and right after a commit or a request.
    """

    work: str
    kill_at_step: int | None = None
    values: dict[str, Any] = field(default_factory=dict)


class WorkerPool:
    """One quiet process that forks the others: a fork takes no time to import."""

    def __enter__(self) -> Self:
        self._process = Popen(
            [sys.executable, "-m", "tests.faults.worker"],
            stdin=PIPE,
            stdout=PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(TIMEOUT_S)

    def run_job(self, harness: Harness, job: WorkerJob) -> bool:
        """Let one process do a job; False if it was killed on the way."""
        return self.run_jobs(harness, [job]) == [0]

    def run_jobs(self, harness: Harness, jobs: list[WorkerJob]) -> list[int]:
        """Let one process for each job work side by side; return how each ended."""
        assert self._process.stdin
        assert self._process.stdout
        order = {
            "settings": _to_json(harness.runtime.settings),
            "now": harness.clock().isoformat(),
            "jobs": [vars(job) for job in jobs],
        }
        self._process.stdin.write(f"{json.dumps(order)}\n")
        self._process.stdin.flush()
        exit_codes: list[int] = json.loads(self._process.stdout.readline())
        return exit_codes


def _to_json(settings: Settings) -> dict[str, Any]:
    return {
        "data_dir": str(settings.data_dir),
        "database_url": settings.database_url,
        "strava_site_url": settings.strava_site_url,
        "strava_api_url": settings.strava_api_url,
    }
