"""A question that was held up does not arrive in the night."""

from datetime import UTC, datetime, timedelta

import pytest

from sync.mail.deliver import deliver_due
from sync.preferences import Preferences
from tests.support.smtp_servers import FakeSmtpServer
from tests.sync.mail.conftest import OutboxHarness

NIGHT = datetime(2026, 11, 22, 2, tzinfo=UTC)
MORNING = datetime(2026, 11, 22, 7, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["survey", "survey_reminder"])
def test_a_mail_held_up_into_the_night_waits_for_the_morning(
    outbox_harness: OutboxHarness, post: FakeSmtpServer, kind: str
) -> None:
    outbox_harness.update_survey(sent_at=NIGHT - timedelta(hours=5))
    outbox_harness.enqueue(kind=kind, survey_id=outbox_harness.survey_id)
    outbox_harness.clock.at = NIGHT

    assert deliver_due(outbox_harness.runtime) == 0

    assert outbox_harness.get_mail().due_at == MORNING
    assert post.raw_mails == []


def test_a_mail_that_would_be_stale_by_then_is_withheld(
    outbox_harness: OutboxHarness,
) -> None:
    outbox_harness.enqueue(stale_at=NIGHT + timedelta(hours=1))
    outbox_harness.clock.at = NIGHT
    deliver_due(outbox_harness.runtime)
    outbox_harness.clock.at = MORNING

    assert deliver_due(outbox_harness.runtime) == 0

    assert outbox_harness.get_mail().withheld_for == "stale"


def test_a_sign_in_link_is_sent_at_any_hour(outbox_harness: OutboxHarness) -> None:
    outbox_harness.enqueue(kind="sign_in_link", values={"token": "t"})
    outbox_harness.clock.at = NIGHT

    assert deliver_due(outbox_harness.runtime) == 1


def test_the_runner_decides_which_hours_are_quiet(
    outbox_harness: OutboxHarness,
) -> None:
    outbox_harness.update_runner(
        preferences=Preferences(quiet_from="00:00", quiet_until="00:00")
    )
    outbox_harness.enqueue()
    outbox_harness.clock.at = NIGHT

    assert deliver_due(outbox_harness.runtime) == 1
