"""The arguments that start web, worker and beat, to follow `python -m`."""

from pathlib import Path


def web_argv(host: str, port: int, processes: int) -> list[str]:
    argv = ["web.server", "--host", host, "--port", str(port)]
    return [*argv, "--processes", str(processes)]


def worker_argv(
    pool: str, concurrency: int, *, heartbeat_file: Path | None = None
) -> list[str]:
    """Return a worker's arguments; with a heartbeat file it keeps the schedule, too."""
    argv = ["workers.worker", "--pool", pool, "--concurrency", str(concurrency)]
    return [*argv, "--beat", "--pulse", str(heartbeat_file)] if heartbeat_file else argv


def beat_argv(log_format: str) -> list[str]:
    return ["workers.beat", "--log-format", log_format]
