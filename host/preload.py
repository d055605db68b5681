"""Loads the modules of an instance's parts once, before the parts are forked.

A fork shares the memory of the loaded modules and need not load them again.  Loading
must start no thread and open no file: a fork has no threads and shares open files.
"""

import gc
from collections.abc import Sequence
from importlib import import_module

from sqlalchemy.orm import configure_mappers

# The modules of `db upgrade`, which runs first.
DATABASE_MODULES = ("host.cli", "sync.database", "sync.models")
# The modules that an idle web, worker, schedule, mailbox and simulator load.
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
    """Load `modules` and exempt all objects so far from garbage collection."""
    gc.disable()
    for module in modules:
        import_module(module)
    configure_mappers()
    gc.freeze()
    gc.enable()
