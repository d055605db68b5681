"""The Flask application, put together from its parts."""

from urllib.parse import urlsplit

from flask import Flask

from sync.language import install_i18n
from sync.runtime import Runtime
from sync.surveys.instruments import load_library
from web import formats, pages
from web.blueprints import BLUEPRINTS
from web.http import (
    compression,
    conflicts,
    csrf,
    errors,
    headers,
    language,
    limits,
    refusals,
    session,
    sign_in_needs,
)
from web.http.body_limits import MAX_BODY_BYTES
from web.runtime import attach_runtime
from web.webhooks.middleware import WebhookMiddleware

MAX_FORM_FIELDS = 100


def create_app(runtime: Runtime) -> Flask:
    public_url = urlsplit(runtime.settings.public_url)
    app = Flask(__name__)
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_BODY_BYTES,
        MAX_FORM_PARTS=MAX_FORM_FIELDS,
        SERVER_NAME=public_url.netloc,
        PREFERRED_URL_SCHEME=public_url.scheme,
    )
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    install_i18n(app.jinja_env)
    attach_runtime(app, runtime)
    load_library(runtime.settings.data_dir)  # a bad instrument is refused at the start
    language.init_app(app)
    compression.init_app(app)
    limits.init_app(app, runtime.settings.redis_url)
    headers.init_app(app, runtime.settings)
    refusals.init_app(app)
    session.init_app(app)
    csrf.init_app(app)
    sign_in_needs.init_app(app)
    conflicts.init_app(app)
    errors.init_app(app)
    formats.init_app(app)
    pages.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    sign_in_needs.require_declared(app)
    app.wsgi_app = WebhookMiddleware(app.wsgi_app, runtime)  # type: ignore[method-assign]
    return app
