"""The Celery application of the workers: its settings, and each process's runtime."""

from functools import cache
from typing import Any

from celery import Celery
from celery.signals import setup_logging

from sync import log
from sync.queue import BROKER_OPTIONS
from sync.runtime import Runtime, build
from sync.settings import load


def load_configuration() -> dict[str, Any]:
    """Return Celery's settings, read when the worker starts and not on import."""
    return {
        "broker_url": load().broker_url,
        "broker_transport_options": BROKER_OPTIONS,
        "broker_connection_retry_on_startup": True,
        # The broker may be away for as long as it likes: we wait for it.
        "broker_connection_max_retries": None,
        "task_ignore_result": True,
        "task_soft_time_limit": 80,
        "task_time_limit": 90,
        "worker_hijack_root_logger": False,
        # Whoever reaches the broker could otherwise shut down all workers.
        "worker_enable_remote_control": False,
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
    }


celery = Celery("workers", include=["workers.tasks"])
celery.add_defaults(load_configuration)


@setup_logging.connect
def _configure_logging(**_: object) -> None:
    log.configure(load().log_format, part="worker")


@cache
def get_runtime() -> Runtime:
    """Return this process's runtime, built after the fork on first use."""
    return build(load())
