"""The runner of a dashboard, their unit and the runtime."""

from collections.abc import Sequence
from dataclasses import dataclass

from sync.analytics.dataset.run_annotations import RunAnnotations, load_annotations
from sync.runtime import Runtime
from sync.vocabulary import DistanceUnit


@dataclass(frozen=True, slots=True)
class DashboardContext:
    runtime: Runtime
    runner_id: int
    unit: DistanceUnit

    def load_annotations(self, run_ids: Sequence[int] | None = None) -> RunAnnotations:
        """Load the annotations of these runs, or of all."""
        return load_annotations(self.runtime, self.runner_id, run_ids)
