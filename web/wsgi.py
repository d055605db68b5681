"""What the web server loads: `web.wsgi:app`."""

import gc

from sync import log
from sync.queue import CeleryQueue
from sync.runtime import build
from sync.settings import load
from web.app import create_app
from web.bell import Bell

_settings = load()
_settings.require_contact()
log.configure(_settings.log_format, part="web")
app = create_app(build(_settings, queue=Bell(CeleryQueue(_settings.redis_url))))
# What is loaded stays: no visitor has to wait while it is looked through for rubbish.
gc.freeze()
