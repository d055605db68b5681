"""A log line about a failure names its kind and place, and nothing of its text."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.processes

CANARY = "canary-4711"
STORY = f"""
import logging, sys
import structlog
from sync import log

log.configure(sys.argv[1], part="worker")
secret = "{CANARY}"
try:
    int(secret)
except ValueError as error:
    context = {{"name": "drain.inbox", "exc": repr(error)}}
    logging.getLogger("celery.app.trace").error(
        "Task %(name)s raised unexpected: %(exc)s", context, exc_info=True
    )
    structlog.get_logger().error("work failed", exc_info=True)
    structlog.get_logger().error("work failed", exc_info=error)
"""


def capture_log(style: str) -> list[str]:
    completed = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", STORY, style], capture_output=True, text=True, check=True
    )
    assert completed.stdout == ""
    return completed.stderr.splitlines()


@pytest.mark.parametrize("style", ["text", "json"])
def test_what_an_error_says_is_not_logged(style: str) -> None:
    lines = capture_log(style)

    assert len(lines) == 3
    assert CANARY not in "".join(lines)
    for line in lines:
        assert "ValueError" in line
        assert "<string>:9 <module>" in line
    assert "Task drain.inbox raised unexpected: ValueError" in lines[0]


def test_machines_read_each_line_as_json() -> None:
    for line in capture_log("json"):
        fields = json.loads(line)

        assert fields["error"] == "ValueError"
        assert fields["part"] == "worker"
        assert fields["timestamp"].endswith("Z")


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_member_of_a_closed_set_is_logged_as_its_stored_word(style: str) -> None:
    program = (
        "import sys, structlog; from sync import log;"
        "from sync.vocabulary import DrawReason; log.configure(sys.argv[1]);"
        "structlog.get_logger().info('drawn', reason=DrawReason.NOT_DRAWN)"
    )

    lines = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program, style],
        capture_output=True,
        text=True,
        check=True,
    ).stderr

    assert "not drawn" in lines
    assert "NOT_DRAWN" not in lines
