"""`make audit` fails when a locked library has a known weakness, and only then."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.support.http_listener import HttpListener, RecordedRequest, run_http_listener
from tests.support.paths import ROOT

pytestmark = pytest.mark.processes

LOCKED = re.compile(r"^([a-z0-9-]+)==(\S+) \\$", re.MULTILINE)
ALL_CLEAR = "No known vulnerabilities found"


def read_locked_versions() -> dict[str, str]:
    """Return the version of each library that every Python gets."""
    return dict(LOCKED.findall((ROOT / "requirements.lock").read_text()))


def run_audit(listener: HttpListener) -> subprocess.CompletedProcess[str]:
    # What the tests run with is installed: nothing has to be fetched first.
    arguments = ["-o", f"{sys.prefix}/.develop", f"VENV={sys.prefix}"]
    return subprocess.run(  # noqa: S603
        ["make", *arguments, "audit", f"OSV_URL={listener.url}/v1/query"],  # noqa: S607
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MAKE", "MFLAGS"))
        },
        check=False,
    )


def parse_query(request: RecordedRequest) -> tuple[str, str]:
    query = json.loads(request.body)
    return query["package"]["name"], query["version"]


def build_vulnerability(name: str) -> str:
    package = {"name": name, "ecosystem": "PyPI"}
    events = [{"introduced": "0"}, {"fixed": "9999.1"}]
    ranges = [{"type": "ECOSYSTEM", "events": events}]
    affected = [{"package": package, "ranges": ranges}]
    return json.dumps({"vulns": [{"id": "WEAK-1", "affected": affected}]})


def test_every_locked_library_is_asked_about() -> None:
    with run_http_listener() as known:
        known.body = "{}"
        done = run_audit(known)

    assert done.returncode == 0, done.stdout
    assert ALL_CLEAR in done.stdout
    assert {request.path for request in known.requests} == {"/v1/query"}
    assert read_locked_versions().items() <= {
        parse_query(request) for request in known.requests
    }


def test_a_weak_one_is_named_with_what_mends_it() -> None:
    weak = ("flask", read_locked_versions()["flask"])

    with run_http_listener() as known:
        known.body = lambda _: (
            build_vulnerability("flask")
            if parse_query(known.requests[-1]) == weak
            else "{}"
        )
        done = run_audit(known)

    assert done.returncode != 0
    assert [*weak, "WEAK-1", "9999.1"] in [
        line.split() for line in done.stdout.splitlines()
    ]


def test_a_list_that_does_not_answer_is_no_all_clear() -> None:
    with run_http_listener() as known:
        known.status = 503
        done = run_audit(known)

    assert done.returncode != 0
    assert ALL_CLEAR not in done.stdout
