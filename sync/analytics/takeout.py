"""All that a runner may take along: what we hold, and the study made from it."""

from sync.runners import export
from sync.runtime import Runtime


def take_out(runtime: Runtime, runner_id: int) -> bytes:
    """Return one ZIP: every row that we hold, and under study/ the figures' files."""
    # Imported here: only whoever asks for their study waits for numpy.
    from sync.analytics.export import study  # noqa: PLC0415

    files = study(runtime, runner_id)
    return export.pack(
        runtime,
        runner_id,
        beside={f"study/{name}": text for name, text in files.items()},
    )
