"""What the web server loads: `web.asgi:app`."""

from functools import partial
from wsgiref.types import WSGIEnvironment

from web.http.clients import client_network
from web.http.headers import build_security_headers
from web.http.request_owner import find_owner
from web.http.session import cookie_name
from web.http.wsgi_adapter import WsgiAdapter
from web.wsgi import app as flask_app
from web.wsgi import settings

with flask_app.app_context():
    SIGN_IN_COOKIE = cookie_name("")


def find_client(environ: WSGIEnvironment) -> str | None:
    with flask_app.request_context(environ):
        return client_network()


app = WsgiAdapter(
    flask_app,
    find_client,
    find_owner=partial(find_owner, sign_in_cookie=SIGN_IN_COOKIE),
    headers=build_security_headers(settings).items(),
)
