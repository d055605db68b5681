"""The words that start web, worker and beat, to follow `python -m`."""

from pathlib import Path

# Where Celery itself looks; the schedule reads nothing else.
BROKER = "CELERY_BROKER_URL"


def web_words(host: str, port: int, processes: int) -> list[str]:
    # One process with one thread is the fastest writer that SQLite can have.
    words = ["granian", "--interface", "wsgi", "--no-ws", "--log-level", "warning"]
    words += ["--host", host, "--port", str(port), "--workers", str(processes)]
    words += ["--blocking-threads", "1", "--respawn-failed-workers"]
    return [*words, "web.wsgi:app"]


def worker_words(
    pool: str, concurrency: int, *, pulse: Path | None = None
) -> list[str]:
    words = ["workers.worker", "--pool", pool, "--concurrency", str(concurrency)]
    return [*words, "--pulse", str(pulse)] if pulse else words


def beat_words(data_dir: Path, log_format: str) -> list[str]:
    schedule = data_dir / "schedule"
    return ["workers.beat", "--schedule", str(schedule), "--log-format", log_format]
