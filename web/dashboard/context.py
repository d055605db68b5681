"""Whose dashboard it is, in which unit, and where what they are shown comes from."""

from collections.abc import Sequence
from dataclasses import dataclass

from sync.analytics.dataset.run_annotations import RunAnnotations, load_annotations
from sync.runtime import Runtime
from web.formats import Unit


@dataclass(frozen=True, slots=True)
class DashboardContext:
    runtime: Runtime
    runner_id: int
    unit: Unit

    def load_annotations(self, run_ids: Sequence[int] | None = None) -> RunAnnotations:
        """Read what is said beside the numbers of these runs, or of all."""
        return load_annotations(self.runtime, self.runner_id, run_ids)
