"""Caddy and nginx with the configurations that the documents hold, in front of us."""

import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.paths import ROOT
from tests.support.servers import HOST, TIMEOUT_S, free_port, wait_until

NAME = "run.example.org"
# For a real name Caddy fetches a certificate; here it makes one, and tells nobody.
_CADDY_TESTING = """{{
    http_port {http}
    https_port {https}
    local_certs
    skip_install_trust
    admin off
"""
_NGINX_TESTING = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ {events} }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {server}
}}
"""


@dataclass(frozen=True)
class Proxy:
    """A running proxy, and its ports in the place of 80 and 443."""

    http_port: int
    https_port: int
    folder: Path

    def connect(self) -> socket.socket:
        """Open a connection as a browser does that looks for our name."""
        connection = socket.create_connection((HOST, self.https_port), timeout=10)
        return _create_context().wrap_socket(connection, server_hostname=NAME)


@cache
def _create_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the certificate is one of the test's own
    context.verify_mode = ssl.CERT_NONE
    return context


def read_documented(language: str) -> str:
    """Return the one configuration in this language in the security document."""
    text = (ROOT / "docs" / "security.md").read_text()
    (block,) = re.findall(
        rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
    )
    assert isinstance(block, str)
    return block


def find_proxy(program: str) -> str | None:
    """Return where a proxy is installed, or was unpacked for the tests."""
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")


@contextmanager
def run_caddy(folder: Path, app_port: int) -> Generator[Proxy]:
    """Run the documented Caddyfile, on other ports and with its own certificate."""
    proxy = Proxy(free_port(), free_port(), folder)
    testing = _CADDY_TESTING.format(http=proxy.http_port, https=proxy.https_port)
    text = read_documented("caddyfile")
    assert text.startswith("{\n")
    text = text.replace("{\n", testing, 1)
    configuration = folder / "Caddyfile"
    configuration.write_text(
        _replace_once(text, "127.0.0.1:8000", f"{HOST}:{app_port}")
    )
    arguments = ["run", "--adapter", "caddyfile", "--config", str(configuration)]
    with _run(proxy, "caddy", arguments):
        yield proxy


@contextmanager
def run_nginx(folder: Path, app_port: int) -> Generator[Proxy]:
    """Run the documented server, on other ports and with a certificate of ours."""
    proxy = Proxy(free_port(), free_port(), folder)
    text = read_documented("nginx")
    certificate, key = _write_certificate(folder)
    home = f"/etc/letsencrypt/live/{NAME}"
    text = _replace_once(text, f"{home}/fullchain.pem", str(certificate))
    text = _replace_once(text, f"{home}/privkey.pem", str(key))
    text = _replace_once(text, "listen 80;", f"listen {HOST}:{proxy.http_port};")
    text = _replace_once(
        text, "listen 443 ssl;", f"listen {HOST}:{proxy.https_port} ssl;"
    )
    text = text.replace("127.0.0.1:8000", f"{HOST}:{app_port}")
    documents = (ROOT / "docs" / "security.md").read_text()
    (events,) = re.findall(r"`(worker_connections \d+;)`", documents)
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _NGINX_TESTING.format(
            user="user root;" if os.geteuid() == 0 else "",
            folder=folder,
            events=events,
            server=text,
        )
    )
    with _run(proxy, "nginx", ["-c", str(configuration), "-p", str(folder)]):
        yield proxy


def _replace_once(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, old
    return text.replace(old, new)


@contextmanager
def _run(proxy: Proxy, program: str, arguments: list[str]) -> Generator[None]:
    path = find_proxy(program)
    assert path is not None
    home = {"HOME": str(proxy.folder), "XDG_DATA_HOME": str(proxy.folder)}
    with (proxy.folder / "output.log").open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            [path, *arguments], env=os.environ | home, stdout=output, stderr=output
        )

    def is_listening() -> bool:
        assert process.poll() is None, (proxy.folder / "output.log").read_text()
        try:
            proxy.connect().close()
        except OSError:
            return False
        return True

    try:
        wait_until(is_listening)
        yield
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)


def _write_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a self-signed certificate for our name; return its file and its key's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(pem))
    paths[1].write_bytes(
        key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths
