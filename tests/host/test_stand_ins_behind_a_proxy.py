"""A proxy in front of `moodmiles up` publishes no stand-in, however it is set up."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.live_instance import LiveInstance, start_instance, wait_for
from tests.support.proxies import find_proxy
from tests.support.servers import HOST, TIMEOUT_S, free_port

pytestmark = pytest.mark.processes

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
    fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass {target}; {more} }}
    }}
}}
"""
CADDY = """
{{
    admin off
    auto_https off
}}
http://:{port} {{
    bind 127.0.0.1
    reverse_proxy {target} {{
        header_up Host {{upstream_hostport}}
    }}
}}
"""
FORWARDED = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
PROXIES = {
    "nginx as it comes": ("nginx", NGINX, ""),
    "nginx that names the client": (
        "nginx",
        NGINX,
        f"proxy_http_version 1.1; {FORWARDED}",
    ),
    "caddy": ("caddy", CADDY, ""),
}


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveInstance]:
    with start_instance(tmp_path_factory.mktemp("proxied") / "data") as running:
        yield running


def start_proxy(
    name: str, folder: Path, target: str
) -> tuple["subprocess.Popen[bytes]", str]:
    """Start a proxy in front of `target`; return its process and address."""
    program, template, more = PROXIES[name]
    path, port = find_proxy(program), free_port()
    assert path is not None
    file = folder / "proxy.conf"
    file.write_text(template.format(folder=folder, port=port, target=target, more=more))
    words = {
        "nginx": ["-c", str(file), "-p", str(folder)],
        "caddy": ["run", "--adapter", "caddyfile", "--config", str(file)],
    }[program]
    process = subprocess.Popen(  # noqa: S603
        [path, *words],
        env={"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return process, f"http://{HOST}:{port}"


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code < 500
    except requests.RequestException:
        return False


@pytest.mark.parametrize("name", PROXIES)
@pytest.mark.parametrize(
    ("part", "paths"),
    [
        ("web", ("/mailbox", "/states", "/states/no-runs", "/metrics")),
        ("simulator", ("/", "/control/state", "/oauth/authorize")),
    ],
)
def test_no_stand_in_answers_through_it(
    instance: LiveInstance,
    name: str,
    part: str,
    paths: tuple[str, ...],
    tmp_path: Path,
) -> None:
    if find_proxy(PROXIES[name][0]) is None:
        pytest.skip(f"needs {PROXIES[name][0]}")
    target = instance.url if part == "web" else instance.strava_url
    process, url = start_proxy(name, tmp_path, target)
    try:
        wait_for(lambda: answers(f"{url}/healthz"))
        statuses = {
            path: requests.get(
                f"{url}{path}", timeout=TIMEOUT_S, allow_redirects=False
            ).status_code
            for path in paths
        }
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)

    assert set(statuses.values()) == {403}, statuses
    assert requests.get(f"{target}{paths[0]}", timeout=TIMEOUT_S).status_code == 200
