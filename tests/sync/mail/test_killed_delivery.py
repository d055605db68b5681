"""A worker killed between the server's "yes" and our commit loses nothing."""

import sys
from subprocess import Popen

import pytest

from sync.mail.deliver import deliver_due
from sync.mail.delivery_rules import LEASE
from tests.support.smtp_servers import Post
from tests.sync.mail.conftest import NOON, Office

pytestmark = pytest.mark.processes


def test_a_mail_taken_as_its_worker_died_goes_out_again_under_the_same_id(
    office: Office, post: Post
) -> None:
    office.promise(survey_id=office.survey_id)
    database_url = office.runtime.settings.database_url
    worker = Popen(  # noqa: S603
        [sys.executable, "-m", "tests.sync.mail.killed_worker", database_url, post.url]
    )

    def kill() -> None:
        worker.kill()
        worker.wait()

    post.before_reply = kill
    worker.wait()
    post.before_reply = lambda: None

    assert office.mail().sent_at is None
    assert deliver_due(office.runtime) == 0, "the lease still holds"
    office.clock.at = NOON + LEASE
    assert deliver_due(office.runtime) == 1
    assert deliver_due(office.runtime) == 0
    first, second = (letter["Message-ID"] for letter in post.letters)
    assert first == second
