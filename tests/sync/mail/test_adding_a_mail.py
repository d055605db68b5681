"""A mail that is added as docs/adding.md says, in two files, arrives."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.extension import ProductCopy, read_code_blocks
from tests.support.smtp_servers import FakeSmtpServer
from tests.sync.mail.conftest import NOON, OutboxHarness

KIND_FILE = "sync/mail/kinds/new_browser.py"

pytestmark = [
    pytest.mark.processes,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


def deliver_added_mail(
    folder: Path, outbox_harness: OutboxHarness, post: FakeSmtpServer, module: str
) -> int:
    """Add the mail to a copy of the product, and return how many it delivers."""
    member, *_ = read_code_blocks("A mail")
    product = ProductCopy(folder)
    product.insert_member("MailKind", member)
    product.add_file(KIND_FILE, module)
    database_url = outbox_harness.runtime.settings.database_url
    printed = product.run_module("tests.sync.mail.added_mail", database_url, post.url)
    count, path = printed.splitlines()[-1].split()
    assert Path(path).parent == folder / "sync"
    return int(count)


def test_a_mail_of_two_files_is_enqueued_rendered_and_delivered(
    tmp_path: Path, outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    _member, module, _usage = read_code_blocks("A mail")
    # It is about the account: a runner who is about to leave hears of it, too.
    outbox_harness.update_runner(erase_at=NOON + timedelta(minutes=10))

    assert deliver_added_mail(tmp_path, outbox_harness, post, module) == 1

    (email,) = post.emails
    text, html = (str(part.get_content()) for part in email.iter_parts())
    assert email["To"] == "sam@example.org"
    assert email["Subject"] == "A new browser signed in to Moodmiles"
    assert email["Feedback-ID"] == "new-browser:v1:moodmiles"
    assert "signed in on Sat 21 Nov, 13:00." in text
    assert "See who is signed in: https://moodmiles.example/settings\r\n" in text
    assert "Was this you?</h1>" in html


def test_what_it_declares_decides_when_it_leaves(
    tmp_path: Path, outbox_harness: OutboxHarness, post: FakeSmtpServer
) -> None:
    _member, module, _usage = read_code_blocks("A mail")
    module = module.replace("is_about_account=True", "is_about_account=False")
    outbox_harness.update_runner(erase_at=NOON + timedelta(minutes=10))

    assert deliver_added_mail(tmp_path, outbox_harness, post, module) == 0
    assert post.emails == []
