"""Who asks from this very machine, with nothing in between."""

import pytest

from sync.local_requests import is_local_request, is_loopback_host, is_loopback_name

LOCAL = {
    "REMOTE_ADDR": "127.0.0.1",
    "HTTP_HOST": "127.0.0.1:8000",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "HTTP_ACCEPT_LANGUAGE": "de",
    "HTTP_SEC_FETCH_SITE": "none",
    "HTTP_UPGRADE_INSECURE_REQUESTS": "1",
    "HTTP_X_PROMETHEUS_SCRAPE_TIMEOUT_SECONDS": "10",
}
# Proxies, tunnels, balancers and clouds: each adds at least one of these.
FORWARDING = [
    *("Forwarded", "X-Forwarded", "X-Forwarded-For", "X-Forwarded-Host"),
    *("X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server", "Via"),
    *("X-Forwarded-Prefix", "X-Forwarded-By", "X-Original-Forwarded-For"),
    *("X-Real-IP", "CF-Connecting-IP", "CF-Connecting-IPv6", "CF-Ray", "CDN-Loop"),
    *("True-Client-IP", "X-Client-IP", "Client-IP", "X-Cluster-Client-IP"),
    *("Fastly-Client-IP", "Fly-Client-IP", "X-Azure-ClientIP", "X-Envoy-Peer"),
    *("X-Original-Host", "X-Original-URL", "X-Host", "X-ProxyUser-Ip", "X-Scheme"),
    *("WL-Proxy-Client-IP", "X-Amzn-Trace-Id", "Tailscale-User-Login"),
    *("X-AppEngine-User-IP", "X-Remote-Addr", "X-NginX-Proxy", "Front-End-Https"),
]


def with_header(name: str, value: str = "x") -> dict[str, str]:
    return LOCAL | {f"HTTP_{name.upper().replace('-', '_')}": value}


def test_a_browser_on_this_machine_is_local() -> None:
    assert is_local_request(LOCAL)


@pytest.mark.parametrize(
    "peer", ["203.0.113.7", "192.168.1.2", "::ffff:203.0.113.7", "fe80::1", "", "unix:"]
)
def test_another_peer_is_not(peer: str) -> None:
    assert not is_local_request(LOCAL | {"REMOTE_ADDR": peer})


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
def test_each_loopback_address_is(peer: str) -> None:
    assert is_local_request(LOCAL | {"REMOTE_ADDR": peer})


def test_an_unknown_peer_is_not() -> None:
    assert not is_local_request({k: v for k, v in LOCAL.items() if k != "REMOTE_ADDR"})


@pytest.mark.parametrize("name", FORWARDING)
@pytest.mark.parametrize("value", ["127.0.0.1", ""])
def test_what_a_proxy_adds_is_noticed(name: str, value: str) -> None:
    assert not is_local_request(with_header(name, value))


@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/1"])
def test_a_proxy_that_adds_nothing_is_noticed_by_its_old_protocol(
    protocol: str,
) -> None:
    assert not is_local_request(LOCAL | {"SERVER_PROTOCOL": protocol})


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "a.localhost", "127.0.0.1:80", "[::1]:8000"]
)
def test_names_of_this_machine(host: str) -> None:
    assert is_loopback_host(host)
    assert is_local_request(LOCAL | {"HTTP_HOST": host})


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example"),
        *(
            "notlocalhost",
            "0.0.0.0:8000",
            "192.168.1.2:8000",
            "[::2]",
            "[",
            "2130706433",
        ),
        *(
            "evil.example#@127.0.0.1",
            "127.0.0.1@evil.example",
            "evil.example/127.0.0.1",
        ),
        *("127.0.0.1:80,evil.example", "evil@127.0.0.1", "[::1]:x", "127.0.0.1/evil"),
    ],
)
def test_other_names(host: str) -> None:
    assert not is_loopback_host(host)
    assert not is_local_request(LOCAL | {"HTTP_HOST": host})


def test_an_address_in_another_s_clothes_is_no_name_of_ours() -> None:
    assert not is_loopback_name("127.0.0.1.")
    assert not is_loopback_name("::ffff:8.8.8.8")
