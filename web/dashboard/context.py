"""The runner of a dashboard, their unit and the runtime."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync.analytics.dataset.run_annotations import RunAnnotations, load_annotations
from sync.analytics.dataset.run_rows import RunRow
from sync.runtime import Runtime
from sync.surveys.answering.own_notes import load_notes_of_runs
from sync.vocabulary import DistanceUnit


@dataclass(frozen=True, slots=True)
class DashboardContext:
    runtime: Runtime
    runner_id: int
    unit: DistanceUnit

    def load_annotations(self, run_ids: Sequence[int] | None = None) -> RunAnnotations:
        """Load the annotations of these runs, or of all."""
        return load_annotations(self.runtime, self.runner_id, run_ids)

    def load_own_lines(self, runs: Sequence[RunRow]) -> Mapping[int, str]:
        """Load the lines that the runner wrote for themselves about these runs."""
        run_ids = [run.id for run in runs]
        return load_notes_of_runs(self.runtime, self.runner_id, run_ids)
