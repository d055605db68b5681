"""Whose dashboard it is, in which unit, and where what they are shown comes from."""

from collections.abc import Sequence
from dataclasses import dataclass

from sync.analytics.dataset.run_annotations import Asides, asides
from sync.runtime import Runtime
from web.formats import Unit


@dataclass(frozen=True, slots=True)
class Owner:
    runtime: Runtime
    runner_id: int
    unit: Unit

    def asides(self, run_ids: Sequence[int] | None = None) -> Asides:
        """Read what is said beside the numbers of these runs, or of all."""
        return asides(self.runtime, self.runner_id, run_ids)
