"""The environment's proxy leads to Strava, and never to a neighbour."""

from collections.abc import Iterator

import pytest

from sync.errors import NotConfigured, StravaUnavailable
from sync.settings import Settings
from sync.strava import Lane
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from sync.strava.http import require_usable_proxy
from tests.support.clock import NOON
from tests.support.http_listener import HttpListener, run_http_listener
from tests.support.servers import free_port

VARIABLES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
# No name server knows it.
FAR = "http://strava.invalid"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def proxy() -> Iterator[HttpListener]:
    with run_http_listener() as listener:
        yield listener


def get_page(url: str) -> None:
    settings = Settings(
        strava_client_id=1,
        strava_client_secret="secret",
        strava_site_url=url,
        strava_api_url=f"{url}/api/v3",
    )
    strava = HttpStrava(settings, budget=Budget("", clock=lambda: NOON))
    strava.page("token", lane=Lane.RECONCILE)


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("form", ["http://127.0.0.1:{}", "127.0.0.1:{}"])
def test_strava_is_asked_through_the_proxy(
    name: str, form: str, proxy: HttpListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, form.format(proxy.url.rpartition(":")[2]))

    require_usable_proxy(FAR)
    get_page(FAR)

    (asked,) = proxy.requests
    assert asked.path.startswith(f"{FAR}/api/v3/athlete/activities")


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_asked_directly(
    name: str, host: str, proxy: HttpListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, proxy.url)

    with run_http_listener() as simulator:
        get_page(simulator.url.replace("127.0.0.1", host))

        assert len(simulator.requests) == 1
    assert proxy.requests == []


@pytest.mark.parametrize(
    "url", ["http://simulator", "http://10.255.255.1:1", "http://[::1]:1"]
)
def test_a_neighbour_is_asked_directly(
    url: str, proxy: HttpListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is there, or nobody may ask; the proxy would have answered."""
    monkeypatch.setenv("ALL_PROXY", proxy.url)
    require_usable_proxy(url)

    with pytest.raises(Exception, match=r"did not answer|connect"):
        get_page(url)

    assert proxy.requests == []


@pytest.mark.parametrize("no_proxy", ["strava.invalid", ".invalid", "*", "a,invalid"])
def test_who_is_excepted_is_asked_directly(
    no_proxy: str, proxy: HttpListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", no_proxy)

    with pytest.raises(StravaUnavailable):
        get_page(FAR)

    assert proxy.requests == []


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    "value",
    [
        *("socks5://127.0.0.1:1080", "http://", "http://[::1", "tcp://10.0.0.7:3128"),
        *("http://proxy:99999", "http://proxy:0", "http://me:Zq7Zx@", "://", "a b"),
        *("http://proxy:port", "ftp://proxy", "http://pro xy:1"),
        *("http://me:a@Zq7Zx/b#c@proxy:1", "me:a@Zq7Zx@proxy:1", "me:a/Zq7Zx@proxy:1"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(NotConfigured, match=f"^{name}: must look like ") as refused:
        require_usable_proxy("https://www.strava.com", "https://www.strava.com/api/v3")

    assert "Zq7Zx" not in str(refused.value)
    require_usable_proxy(f"http://127.0.0.1:{free_port()}")  # which needs none


def test_a_proxy_that_nothing_takes_may_be_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.org:3128")
    require_usable_proxy("https://www.strava.com")
    monkeypatch.setenv("HTTPS_PROXY", "nothing://")
    monkeypatch.setenv("NO_PROXY", "strava.com")
    require_usable_proxy("https://www.strava.com")


def test_certificates_that_are_not_there_are_no_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file.pem")

    with pytest.raises(StravaUnavailable, match="no certificates to check it with"):
        get_page("https://127.0.0.1:1")
