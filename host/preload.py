"""What the parts of an instance are made of, loaded once before they are forked.

A part that is a fork shares the memory of all that it finds here, and need not load
it again.  Loading must start no thread and open nothing: a fork would have half of it.
"""

import gc
from collections.abc import Sequence
from importlib import import_module

from sqlalchemy.orm import configure_mappers

# What brings the tables up to date, which is the first thing to do.
DATABASE_MODULES = ("host.cli", "sync.database", "sync.models")
# What web, worker, schedule and stand-ins load before there is anything to do.
OTHER_MODULES = (
    "aiosmtpd.smtp",
    "celery.app.amqp",
    "celery.app.log",
    "celery.apps.worker",
    "celery.concurrency.thread",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.consumer",
    "celery.worker.strategy",
    "granian",
    "jinja2.ext",
    "kombu.transport.redis",
    "sync.simulator.server",
    "web.app",
    "workers.tasks",
)
ALL_MODULES = (*DATABASE_MODULES, *OTHER_MODULES)


def preload_modules(modules: Sequence[str]) -> None:
    """Load `modules`; no later collection looks through what is there by now."""
    gc.disable()
    for module in modules:
        import_module(module)
    configure_mappers()
    gc.freeze()
    gc.enable()
