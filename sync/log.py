"""Logging: readable lines in a terminal, JSON for machines, ids only."""

import logging
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger
from typing_extensions import override

_OURS = tuple(
    str(Path(__file__).parents[1] / part) for part in ("sync", "web", "workers", "host")
)
_MOST_PLACES = 12

# Their INFO lines name addresses that hold tokens, or tell of every wake-up, of which
# an hour brings a thousand when nothing is due.
_NOISY = (
    "celery.app.trace",
    "celery.beat",
    "celery.redirected",
    "celery.worker.strategy",
    "kombu",
    "mail.log",
    "stravalib",
    "sync.strava",
    "urllib3",
)


def configure(style: Literal["text", "json"], *, part: str = "") -> None:
    """Send our lines and those of the libraries through one formatter."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%SZ", utc=True),
        _kind_and_place,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                renderer,
            ],
        )
    )
    handler.addFilter(_Discreet())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if part:
        structlog.contextvars.bind_contextvars(part=part)


class _Discreet(logging.Filter):
    """Takes what an error says out of Celery's own sentence about a failed task."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, dict) and "exc" in record.args and record.exc_info:
            kind = record.exc_info[0]
            record.args = record.args | {"exc": kind.__name__ if kind else ""}
        return True


def _kind_and_place(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Say of an error what kind it is and where; its text may quote a person."""
    found = event.pop("exc_info", None)
    error = found if isinstance(found, BaseException) else None
    if found and error is None:
        error = (sys.exc_info() if found is True else found)[1]
    if error is not None:
        event["error"] = type(error).__name__
        event["where"] = _places(error.__traceback__)
    return event


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)
    ours = [frame for frame in frames if frame.filename.startswith(_OURS)]
    return [
        f"{frame.filename}:{frame.lineno} {frame.name}"
        for frame in (ours or frames)[-_MOST_PLACES:]
    ]
