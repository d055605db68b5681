"""Logging: readable lines in a terminal, JSON for machines, ids only."""

import logging
import sys
import traceback
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger
from typing_extensions import override

_OUR_FOLDERS = tuple(
    str(Path(__file__).parents[1] / part) for part in ("sync", "web", "workers", "host")
)
_MAX_FRAMES = 12

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
        _add_error_type_and_frames,
        _write_members_as_values,
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
    handler.addFilter(_RedactingFilter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    if part:
        structlog.contextvars.bind_contextvars(part=part)


class _RedactingFilter(logging.Filter):
    """Takes what an error says out of Celery's own sentence about a failed task."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, dict) and "exc" in record.args and record.exc_info:
            error_type = record.exc_info[0]
            record.args = record.args | {
                "exc": error_type.__name__ if error_type else ""
            }
        return True


def _add_error_type_and_frames(
    _logger: WrappedLogger, _name: str, event: EventDict
) -> EventDict:
    """Say of an error what kind it is and where; its text may quote a person."""
    exc_info = event.pop("exc_info", None)
    error = exc_info if isinstance(exc_info, BaseException) else None
    if exc_info and error is None:
        error = (sys.exc_info() if exc_info is True else exc_info)[1]
    if error is not None:
        event["error"] = type(error).__name__
        event["where"] = format_frames(error.__traceback__)
    return event


def _write_members_as_values(
    _logger: WrappedLogger, _name: str, event: EventDict
) -> EventDict:
    """Write a member of a closed set as the word that is stored for it."""
    return {
        key: value.value if isinstance(value, Enum) else value
        for key, value in event.items()
    }


def format_frames(trace: TracebackType | None) -> list[str]:
    """Return our last frames as "file:line function", without any value.

    Libraries are deep: their frames appear only where the trace has none of ours.
    """
    frames = traceback.extract_tb(trace)
    our_frames = [frame for frame in frames if frame.filename.startswith(_OUR_FOLDERS)]
    return [
        f"{frame.filename}:{frame.lineno} {frame.name}"
        for frame in (our_frames or frames)[-_MAX_FRAMES:]
    ]
