"""Many who ask at once, and an instance that counts them."""

from dataclasses import replace
from ipaddress import ip_network

from flask.testing import FlaskClient

from sync.runtime import Runtime
from sync.settings import Settings
from tests.web.conftest import Browser
from web.app import create_app
from web.http.limits import LIMITS

HERE, THERE = "203.0.113.5", "203.0.113.6"
MAILS = LIMITS["sign-in mail"]


def on(
    runtime: Runtime, redis_url: str = "", *, trusted: tuple[str, ...] = ()
) -> FlaskClient:
    """Return a browser of an instance that counts on this Redis."""
    values = {
        **dict(runtime.settings),
        "redis_url": redis_url,
        "trusted_proxies": [ip_network(one) for one in trusted],
    }
    settings = Settings.model_construct(**values)
    return create_app(replace(runtime, settings=settings)).test_client()


def ask_for_links(client: FlaskClient, many: int, *, like: str, of: str) -> list[int]:
    """Ask for sign-in links; `like` may number the addresses that they go to."""
    form = Browser(client, None).form_token()  # type: ignore[arg-type]
    return [
        client.post(
            "/login",
            data={"email": like.format(number), "csrf": form},
            environ_overrides={"REMOTE_ADDR": of},
        ).status_code
        for number in range(many)
    ]
