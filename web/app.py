"""The Flask application, put together from its parts."""

from urllib.parse import urlsplit

from flask import Flask

from sync.language import teach
from sync.runtime import Runtime
from sync.surveys.instruments import library
from web import formats, pages
from web.blueprints import BLUEPRINTS
from web.http import compression, csrf, errors, headers, language, limits, session
from web.runtime import attach
from web.webhooks.middleware import Door

LARGEST_BODY = 64 * 1024
MOST_FIELDS = 100


def create_app(runtime: Runtime) -> Flask:
    address = urlsplit(runtime.settings.public_url)
    app = Flask(__name__)
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=LARGEST_BODY,
        MAX_FORM_PARTS=MOST_FIELDS,
        SERVER_NAME=address.netloc,
        PREFERRED_URL_SCHEME=address.scheme,
    )
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    teach(app.jinja_env)
    attach(app, runtime)
    library(runtime.settings.data_dir)  # a bad instrument is refused at the start
    language.follow(app)
    compression.shrink(app)
    headers.protect(app, runtime.settings)
    session.remember(app)
    csrf.guard(app)
    limits.register(app, runtime.settings.redis_url)
    errors.handle(app)
    formats.register(app)
    pages.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.wsgi_app = Door(app.wsgi_app, runtime)  # type: ignore[method-assign]
    return app
