"""The network that a request counts for is named by the last proxy we trust."""

import pytest

from sync.runtime import Runtime
from tests.support.concurrent_clients import CLIENT_IP, open_client
from web.http.clients import client_network


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
    headers = {"X-Forwarded-For": header}

    for _ in range(3):
        where = {"REMOTE_ADDR": proxy}
        with app.test_request_context("/", headers=headers, environ_overrides=where):
            client_network()

    said = capsys.readouterr().out
    assert said.count("MOODMILES_TRUSTED_PROXIES may be missing") == times
    assert proxy not in said
    assert "198.51.100.7" not in said


@pytest.mark.parametrize(
    ("peer", "header", "network"),
    [
        (CLIENT_IP, "", CLIENT_IP),
        (
            CLIENT_IP,
            "198.51.100.1",
            CLIENT_IP,
        ),  # who is no proxy of ours may say what it likes
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "10.9.9.9, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1, 172.18.0.1", "198.51.100.1"),
        ("172.18.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "", None),
        ("127.0.0.1", "nonsense", None),
        ("2001:db8::17", "", "2001:db8::/64"),
        ("::ffff:203.0.113.5", "", CLIENT_IP),
        ("::1", "2001:db8::17", "2001:db8::/64"),
    ],
)
def test_a_client_is_who_the_last_trusted_proxy_names(
    runtime: Runtime, peer: str, header: str, network: str | None
) -> None:
    app = open_client(runtime, trusted=("172.16.0.0/12",)).application
    headers = {"X-Forwarded-For": header} if header else {}

    with app.test_request_context(
        headers=headers, environ_overrides={"REMOTE_ADDR": peer}
    ):
        assert client_network() == network
