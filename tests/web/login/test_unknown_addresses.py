"""Whether an address is known here shows neither in words nor in the work done."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select

from sync.mail.deliver import deliver_due
from sync.models import Mail, MailLink
from sync.runners import purge
from sync.runtime import Runtime
from sync.vocabulary import MailKind, SuppressionReason
from tests.support.clock import ManualClock
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.web.conftest import PageClient

UNKNOWN = "nobody7@example.org"


@contextmanager
def record_work(engine: Engine) -> Iterator[list[str]]:
    """Record the text of each statement, and each commit and rollback."""
    work: list[str] = []

    def record_statement(*arguments: Any) -> None:
        work.append(arguments[2])

    listeners = {
        "before_cursor_execute": record_statement,
        "commit": lambda _: work.append("COMMIT"),
        "rollback": lambda _: work.append("ROLLBACK"),
    }
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    yield work
    for name, listener in listeners.items():
        event.remove(engine, name, listener)


def record_form(browser: PageClient, path: str, email: str) -> list[str]:
    """Return what the database was asked to do when this address was sent."""
    csrf = browser.get_csrf_token()
    with record_work(browser.runtime.db.engine) as work:
        answer = browser.client.post(path, data={"email": email, "csrf": csrf})
    assert answer.status_code == 303
    return work


@pytest.mark.parametrize("is_signed_in", [False, True])
@pytest.mark.parametrize("path", ["/login", "/email"])
def test_a_known_address_takes_the_same_statements_as_an_unknown_one(
    browser: PageClient, harness: Harness, path: str, is_signed_in: bool
) -> None:
    known = f"runner{harness.link_runner(harness.add_athlete())}@example.org"
    if path == "/email" or is_signed_in:
        browser.sign_in(harness.link_runner(harness.add_athlete(8)))
    record_form(browser, path, "first@example.org")

    for_known = record_form(browser, path, known)
    for_unknown = record_form(browser, path, UNKNOWN)

    assert for_known == for_unknown
    assert "COMMIT" in for_known
    assert any(line.startswith("INSERT INTO mail ") for line in for_known)


def test_the_rows_of_an_unknown_address_are_as_long_as_those_of_a_known_one(
    browser: PageClient, harness: Harness
) -> None:
    known = f"runner{harness.link_runner(harness.add_athlete())}@example.org"

    for address in (known, UNKNOWN):
        record_form(browser, "/login", address)

    with harness.runtime.db.read_only() as session:
        lengths = session.scalars(
            select(func.length(Mail.sealed)).where(Mail.kind == MailKind.SIGN_IN_LINK)
        ).all()
    assert len(lengths) == 2
    assert len(set(lengths)) == 1


def test_the_mail_to_an_unknown_address_is_withheld_and_its_link_opens_nothing(
    browser: PageClient, runtime: Runtime, clock: ManualClock
) -> None:
    record_form(browser, "/login", UNKNOWN)
    token = read_pending_token(runtime, MailKind.SIGN_IN_LINK)

    redeemed = browser.post(f"/login/{token}")
    sent_count = deliver_due(runtime)

    assert redeemed.status_code == 410
    assert sent_count == 0
    with runtime.db.read_only() as session:
        mail = session.scalars(select(Mail)).one()
        assert mail.withheld_for == SuppressionReason.NO_ADDRESS
        assert mail.sealed is None

    clock.advance(days=purge.LINK_RETENTION.days, hours=1)
    purge.purge_expired(runtime)

    with runtime.db.read_only() as session:
        counts = [
            session.scalar(select(func.count()).select_from(table))
            for table in (Mail, MailLink)
        ]
    assert counts == [0, 0]
