"""A worker killed between the server's "yes" and our commit loses nothing."""

import sys
from subprocess import Popen

import pytest

from sync.backoff import LEASE
from sync.mail.deliver import deliver_due
from tests.support.smtp_servers import FakeSmtpServer
from tests.sync.mail.conftest import NOON, OutboxHarness

pytestmark = pytest.mark.processes


def test_a_mail_taken_as_its_worker_died_goes_out_again_under_the_same_id(
    outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    outbox_harness.enqueue(survey_id=outbox_harness.survey_id)
    database_url = outbox_harness.runtime.settings.database_url
    worker = Popen(  # noqa: S603
        [sys.executable, "-m", "tests.sync.mail.killed_worker", database_url, post.url]
    )

    def kill() -> None:
        worker.kill()
        worker.wait()

    post.before_reply = kill
    worker.wait()
    post.before_reply = lambda: None

    assert outbox_harness.get_mail().sent_at is None
    assert deliver_due(outbox_harness.runtime) == 0, "the lease still holds"
    outbox_harness.clock.at = NOON + LEASE
    assert deliver_due(outbox_harness.runtime) == 1
    assert deliver_due(outbox_harness.runtime) == 0
    first, second = (letter["Message-ID"] for letter in post.emails)
    assert first == second
