"""A package index on the loopback, and wheels made for it."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote, unquote

from packaging.utils import canonicalize_name, parse_wheel_filename
from typing_extensions import override


def write_wheel(
    folder: Path,
    name: str,
    version: str,
    files: dict[str, str] | None = None,
    requires: tuple[str, ...] = (),
) -> Path:
    """Write a wheel for every machine with these files; return where it is."""
    stem = f"{re.sub(r'[-.]+', '_', name)}-{version}"
    information = f"{stem}.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    metadata += [f"Requires-Dist: {requirement}" for requirement in requires]
    contents = {
        **(files or {}),
        f"{information}/METADATA": "\n".join([*metadata, ""]),
        f"{information}/WHEEL": (
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    record = "".join(f"{path},,\n" for path in (*contents, f"{information}/RECORD"))
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in {**contents, f"{information}/RECORD": record}.items():
            # A fixed date, so that equal contents have an equal hash.
            archive.writestr(zipfile.ZipInfo(path), text, zipfile.ZIP_DEFLATED)
    return wheel


def lock_line(wheel: Path) -> str:
    """Return the line of a lock that names this wheel."""
    name, version, _, _ = parse_wheel_filename(wheel.name)
    digest = sha256(wheel.read_bytes()).hexdigest()
    return f"{name}=={version} \\\n    --hash=sha256:{digest}\n"


@dataclass
class PackageIndex:
    """The simple index of a folder of wheels; its troubles can be switched on.

    Of the wheels in `cut`, half arrives.
    """

    folder: Path
    address: str = ""
    is_unavailable: bool = False
    cut: set[str] = field(default_factory=set)
    served: list[str] = field(default_factory=list)

    def variables(self) -> dict[str, str]:
        """Return the environment in which pip knows this index alone."""
        return {
            "PIP_INDEX_URL": f"{self.address}/simple/",
            "PIP_EXTRA_INDEX_URL": "",
            "PIP_FIND_LINKS": "",
            "PIP_CONFIG_FILE": "/dev/null",
            "PIP_TRUSTED_HOST": "127.0.0.1",  # else nothing is kept of plain HTTP
            "NO_PROXY": "127.0.0.1",
        }

    def page(self, project: str) -> bytes | None:
        """Return the page of one project: a link to each of its wheels."""
        links = [
            f'<a href="/wheels/{quote(wheel.name)}">{escape(wheel.name)}</a>'
            for wheel in sorted(self.folder.glob("*.whl"))
            if canonicalize_name(wheel.name.partition("-")[0]) == project
        ]
        return f"<!doctype html>{''.join(links)}".encode() if links else None

    def wheel(self, name: str) -> bytes | None:
        """Return one wheel's bytes."""
        wheel = self.folder / Path(name).name
        return wheel.read_bytes() if wheel.is_file() else None


@contextmanager
def serve(folder: Path) -> Iterator[PackageIndex]:
    """Serve a folder's wheels on a free port of the loopback."""
    index = PackageIndex(folder)

    class IndexHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, _, name = unquote(self.path).strip("/").partition("/")
            body = index.wheel(name) if kind == "wheels" else index.page(name)
            if index.is_unavailable:
                self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
            elif body is None:
                self.send_error(HTTPStatus.NOT_FOUND)
            else:
                self.answer(kind, name, body)

        def answer(self, kind: str, name: str, body: bytes) -> None:
            index.served.append(name)
            self.send_response(HTTPStatus.OK)
            is_wheel = kind == "wheels"
            self.send_header(
                "Content-Type", "application/octet-stream" if is_wheel else "text/html"
            )
            self.send_header("Content-Length", str(len(body)))
            if is_wheel:
                # A file under one name never changes: pip may keep it.
                self.send_header("Cache-Control", "max-age=365000000, immutable")
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if name in index.cut else body)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: what was served is in the index."""

    with ThreadingHTTPServer(("127.0.0.1", 0), IndexHandler) as server:
        index.address = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield index
        server.shutdown()
