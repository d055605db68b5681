"""What the web server loads: `web.asgi:app`."""

from wsgiref.types import WSGIEnvironment

from web.http.clients import client_network
from web.http.headers import build_security_headers
from web.http.wsgi_adapter import WsgiAdapter
from web.wsgi import app as flask_app
from web.wsgi import settings


def find_client(environ: WSGIEnvironment) -> str | None:
    with flask_app.request_context(environ):
        return client_network()


app = WsgiAdapter(
    flask_app, find_client, headers=build_security_headers(settings).items()
)
