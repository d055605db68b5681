"""Many who ask at once, and an instance that counts them."""

from dataclasses import replace
from ipaddress import ip_network

from flask.testing import FlaskClient

from sync.runtime import Runtime
from sync.settings import Settings
from tests.web.conftest import PageClient
from web.app import create_app
from web.http.limits import LIMITS

CLIENT_IP, OTHER_CLIENT_IP = "203.0.113.5", "203.0.113.6"
MAILS = LIMITS["sign-in mail"]


def open_client(
    runtime: Runtime, redis_url: str = "", *, trusted: tuple[str, ...] = ()
) -> FlaskClient:
    """Return a browser of an instance that counts on this Redis."""
    values = {
        **dict(runtime.settings),
        "redis_url": redis_url,
        "trusted_proxies": [ip_network(network) for network in trusted],
    }
    settings = Settings.model_construct(**values)
    return create_app(replace(runtime, settings=settings)).test_client()


def request_sign_in_links(
    client: FlaskClient, count: int, *, address_format: str, client_ip: str
) -> list[int]:
    """Ask for sign-in links; `address_format` may number their addresses."""
    form = PageClient(client, None).get_csrf_token()  # type: ignore[arg-type]
    return [
        client.post(
            "/login",
            data={"email": address_format.format(number), "csrf": form},
            environ_overrides={"REMOTE_ADDR": client_ip},
        ).status_code
        for number in range(count)
    ]
