"""What the web server loads: `web.wsgi:app`."""

from sync import log
from sync.queue import CeleryQueue
from sync.runtime import build
from sync.settings import load
from web.app import create_app
from web.coalescing_queue import CoalescingQueue
from web.gc_tuning import tune_gc

_settings = load()
_settings.require_safe()
log.configure(_settings.log_format, part="web")
app = create_app(
    build(_settings, queue=CoalescingQueue(CeleryQueue(_settings.redis_url)))
)
tune_gc()
