"""The words that start web, worker and beat, to follow `python -m`."""

from pathlib import Path

# Where Celery itself looks; the schedule reads nothing else.
BROKER = "CELERY_BROKER_URL"


def web_words(host: str, port: int, processes: int) -> list[str]:
    words = ["web.server", "--host", host, "--port", str(port)]
    return [*words, "--processes", str(processes)]


def worker_words(
    pool: str, concurrency: int, *, pulse: Path | None = None
) -> list[str]:
    """Return a worker's words; whoever watches its `pulse` has it keep the schedule."""
    words = ["workers.worker", "--pool", pool, "--concurrency", str(concurrency)]
    return [*words, "--beat", "--pulse", str(pulse)] if pulse else words


def beat_words(log_format: str) -> list[str]:
    return ["workers.beat", "--log-format", log_format]
