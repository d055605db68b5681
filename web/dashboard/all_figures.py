"""A runner's figures with every panel, also those that the dashboard does not list."""

from typing import TYPE_CHECKING

from sync.runtime import Runtime
from sync.surveys.instruments import load_library

if TYPE_CHECKING:
    from sync.analytics.figures import Figures
    from sync.analytics.panels.host_questions import HostQuestion


def load_all_figures(runtime: Runtime, runner_id: int) -> "Figures":
    # Imported here: see `web.dashboard.findings`.
    from sync.analytics.figures import load_figures  # noqa: PLC0415

    return load_figures(
        runtime,
        runner_id,
        is_complete=True,
        host_questions=load_host_questions(runtime),
    )


def load_host_questions(runtime: Runtime) -> "tuple[HostQuestion, ...]":
    """Return the host's own questions in the language that is active."""
    from sync.host_questions import list_host_questions  # noqa: PLC0415

    library = load_library(runtime.settings.data_dir)
    return list_host_questions(library, is_localized=True)
