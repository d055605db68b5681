"""What the web server loads: `web.wsgi:app`."""

from sync import log
from sync.runtime import build
from sync.settings import load
from web.app import create_app

_settings = load()
log.configure(_settings.log_format, part="web")
app = create_app(build(_settings))
