"""The network that a request counts for is named by the last proxy we trust."""

from dataclasses import replace
from ipaddress import ip_network

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from sync.runtime import Runtime
from sync.settings import Settings
from tests.support.concurrent_clients import CLIENT_IP, open_client
from web.app import create_app
from web.http.clients import client_network, site_network

TRUSTED = "172.16.0.0/12"


def find_network(app: Flask, peer: str, header: str | None) -> str | None:
    headers = {} if header is None else {"X-Forwarded-For": header}
    with app.test_request_context(
        headers=headers, environ_overrides={"REMOTE_ADDR": peer}
    ):
        return client_network()


def create_public_app(runtime: Runtime) -> Flask:
    values = {
        **dict(runtime.settings),
        "public_url": "https://run.example.org",
        "trusted_proxies": [ip_network(TRUSTED)],
    }
    settings = Settings.model_construct(**values)
    return create_app(replace(runtime, settings=settings))


@pytest.mark.parametrize(
    ("proxy", "header", "times"),
    [
        ("172.18.0.3", "198.51.100.7", 1),
        ("fd00::3", "198.51.100.7", 1),
        ("10.0.0.9", "198.51.100.7", 0),
        ("127.0.0.1", "198.51.100.7", 0),
        ("172.18.0.3", "", 0),
        ("8.8.8.8", "198.51.100.7", 0),
    ],
)
def test_a_proxy_nearby_that_nobody_trusts_is_spoken_of_once(
    runtime: Runtime,
    capsys: pytest.CaptureFixture[str],
    proxy: str,
    header: str,
    times: int,
) -> None:
    app = open_client(runtime, trusted=("10.0.0.0/8",)).application

    for _ in range(3):
        find_network(app, proxy, header)

    said = capsys.readouterr().out
    assert said.count("MOODMILES_TRUSTED_PROXIES may be missing") == times
    assert proxy not in said
    assert "198.51.100.7" not in said


@pytest.mark.parametrize(
    ("peer", "header", "network"),
    [
        (CLIENT_IP, None, CLIENT_IP),
        # Who is no proxy of ours may say what it likes.
        (CLIENT_IP, "198.51.100.1", CLIENT_IP),
        (CLIENT_IP, "127.0.0.1", CLIENT_IP),
        (CLIENT_IP, "nonsense", CLIENT_IP),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("172.18.0.1", "198.51.100.1", "198.51.100.1"),
        # A client may write what it likes: the proxy appends where it came from.
        ("127.0.0.1", "10.9.9.9, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "127.0.0.1, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "172.18.0.9, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "nonsense, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", ",,198.51.100.1,,", "198.51.100.1"),
        # Two proxies, both ours.
        ("127.0.0.1", "198.51.100.1, 172.18.0.1", "198.51.100.1"),
        ("127.0.0.1", "8.8.8.8, 198.51.100.1, 172.18.0.1", "198.51.100.1"),
        # Some gateways add the port.
        ("127.0.0.1", "203.0.113.10:51234", "203.0.113.10"),
        ("127.0.0.1", "[2001:db8::17]:51234", "2001:db8::/64"),
        ("127.0.0.1", "[2001:db8::17]", "2001:db8::/64"),
        ("127.0.0.1", "198.51.100.1:1, 172.18.0.1:2", "198.51.100.1"),
        ("127.0.0.1", "[::ffff:203.0.113.5]:443", CLIENT_IP),
        # What names no client counts for the proxy that has sent it.
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1, unknown", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1, unknown, 172.18.0.1", "172.18.0.1"),
        ("172.18.0.1", "_hidden", "172.18.0.1"),
        ("172.18.0.1", "198.51.100.1:port", "172.18.0.1"),
        ("172.18.0.1", "198.51.100.1:", "172.18.0.1"),
        ("172.18.0.1", "[2001:db8::17", "172.18.0.1"),
        ("172.18.0.1", "256.1.1.1", "172.18.0.1"),
        ("172.18.0.1", "1.2.3", "172.18.0.1"),
        ("172.18.0.1", "0x7f.0.0.1", "172.18.0.1"),
        ("172.18.0.1", "fe80::1%eth0", "172.18.0.1"),
        ("172.18.0.1", "٣.٣.٣.٣", "172.18.0.1"),
        ("172.18.0.1", "for=198.51.100.1", "172.18.0.1"),
        ("172.18.0.1", "", "172.18.0.1"),
        ("172.18.0.1", None, "172.18.0.1"),
        # Only proxies all the way: somebody on one of them.
        ("127.0.0.1", "172.18.0.9", "172.18.0.9"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("", None, "unknown"),
        # This very machine, past every proxy.
        ("127.0.0.1", None, None),
        ("127.0.0.1", "", None),
        ("127.0.0.1", " , ", None),
        ("::1", None, None),
        ("::ffff:127.0.0.1", None, None),
        ("2001:db8::17", None, "2001:db8::/64"),
        ("::ffff:203.0.113.5", None, CLIENT_IP),
        ("::1", "2001:db8::17", "2001:db8::/64"),
    ],
)
def test_a_client_is_who_the_last_trusted_proxy_names(
    runtime: Runtime, peer: str, header: str | None, network: str | None
) -> None:
    app = open_client(runtime, trusted=(TRUSTED,)).application

    assert find_network(app, peer, header) == network


@pytest.mark.parametrize("header", [None, "", "unknown"])
def test_a_proxy_that_names_no_client_is_counted_itself_and_spoken_of_once(
    runtime: Runtime, capsys: pytest.CaptureFixture[str], header: str | None
) -> None:
    app = create_public_app(runtime)

    networks = {find_network(app, "127.0.0.1", header) for _ in range(3)}

    assert networks == {"127.0.0.1"}
    assert capsys.readouterr().out.count("a proxy names no client") == 1


def test_no_header_lets_anybody_through_uncounted(runtime: Runtime) -> None:
    app = open_client(runtime, trusted=(TRUSTED,)).application

    @given(
        st.sampled_from(("172.18.0.1", "127.0.0.1", CLIENT_IP)),
        st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"))
        | st.from_regex(r"\A[0-9a-f:.\[\], ]{1,40}\Z"),
    )
    def holds(peer: str, header: str) -> None:
        network = find_network(app, peer, f"{header}, 198.51.100.1")
        unreadable = find_network(app, peer, f"{header}x")
        assert network == (CLIENT_IP if peer == CLIENT_IP else "198.51.100.1")
        assert unreadable is not None

    holds()


@pytest.mark.parametrize(
    ("network", "site"),
    [
        ("2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("203.0.113.5", None),
        ("unknown", None),
    ],
)
def test_an_ipv6_network_belongs_to_a_site(network: str, site: str | None) -> None:
    assert site_network(network) == site
