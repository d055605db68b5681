"""`make audit` fails when a locked library has a known weakness, and only then."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.support.http_listener import Asked, Listener, listener
from tests.support.paths import ROOT

pytestmark = pytest.mark.processes

LOCKED = re.compile(r"^([a-z0-9-]+)==(\S+) \\$", re.MULTILINE)
ALL_CLEAR = "No known vulnerabilities found"


def locked() -> dict[str, str]:
    """Return the version of each library that every Python gets."""
    return dict(LOCKED.findall((ROOT / "requirements.lock").read_text()))


def audit(known: Listener) -> subprocess.CompletedProcess[str]:
    # What the tests run with is installed: nothing has to be fetched first.
    words = ["-o", f"{sys.prefix}/.develop", f"VENV={sys.prefix}"]
    return subprocess.run(  # noqa: S603
        ["make", *words, "audit", f"OSV_URL={known.url}/v1/query"],  # noqa: S607
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


def library(asked: Asked) -> tuple[str, str]:
    query = json.loads(asked.body)
    return query["package"]["name"], query["version"]


def weakness(name: str) -> str:
    package = {"name": name, "ecosystem": "PyPI"}
    events = [{"introduced": "0"}, {"fixed": "9999.1"}]
    ranges = [{"type": "ECOSYSTEM", "events": events}]
    affected = [{"package": package, "ranges": ranges}]
    return json.dumps({"vulns": [{"id": "WEAK-1", "affected": affected}]})


def test_every_locked_library_is_asked_about() -> None:
    with listener() as known:
        known.body = "{}"
        done = audit(known)

    assert done.returncode == 0, done.stdout
    assert ALL_CLEAR in done.stdout
    assert {asked.path for asked in known.asked} == {"/v1/query"}
    assert locked().items() <= {library(asked) for asked in known.asked}


def test_a_weak_one_is_named_with_what_mends_it() -> None:
    weak = ("flask", locked()["flask"])

    with listener() as known:
        known.body = lambda _: (
            weakness("flask") if library(known.asked[-1]) == weak else "{}"
        )
        done = audit(known)

    assert done.returncode != 0
    assert [*weak, "WEAK-1", "9999.1"] in [
        line.split() for line in done.stdout.splitlines()
    ]


def test_a_list_that_does_not_answer_is_no_all_clear() -> None:
    with listener() as known:
        known.status = 503
        done = audit(known)

    assert done.returncode != 0
    assert ALL_CLEAR not in done.stdout
