"""The pages as a WSGI application, `web.wsgi:app`; `web.asgi` serves it."""

from sync import log
from sync.queue import CeleryQueue
from sync.runtime import build
from sync.settings import load
from web.app import create_app
from web.coalescing_queue import CoalescingQueue
from web.gc_tuning import tune_gc

settings = load()
settings.require_safe()
log.configure(settings.log_format, part="web")
app = create_app(
    build(settings, queue=CoalescingQueue(CeleryQueue(settings.redis_url)))
)
tune_gc()
