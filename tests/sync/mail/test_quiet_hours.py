"""A question that was held up does not arrive in the night."""

from datetime import UTC, datetime, timedelta

import pytest

from sync.mail.deliver import deliver_due
from tests.support.smtp_servers import Post
from tests.sync.mail.conftest import Office

NIGHT = datetime(2026, 11, 22, 2, tzinfo=UTC)
MORNING = datetime(2026, 11, 22, 7, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["survey", "survey_reminder"])
def test_a_mail_held_up_into_the_night_waits_for_the_morning(
    office: Office, post: Post, kind: str
) -> None:
    office.change_survey(sent_at=NIGHT - timedelta(hours=5))
    office.promise(kind=kind, survey_id=office.survey_id)
    office.clock.at = NIGHT

    assert deliver_due(office.runtime) == 0

    assert office.mail().due_at == MORNING
    assert post.taken == []


def test_a_mail_that_would_be_stale_by_then_is_withheld(office: Office) -> None:
    office.promise(stale_at=NIGHT + timedelta(hours=1))
    office.clock.at = NIGHT
    deliver_due(office.runtime)
    office.clock.at = MORNING

    assert deliver_due(office.runtime) == 0

    assert office.mail().withheld_for == "stale"


def test_a_sign_in_link_is_sent_at_any_hour(office: Office) -> None:
    office.promise(kind="sign_in_link", values={"token": "t"})
    office.clock.at = NIGHT

    assert deliver_due(office.runtime) == 1


def test_the_runner_decides_which_hours_are_quiet(office: Office) -> None:
    office.change(preferences={"quiet_from": "00:00", "quiet_until": "00:00"})
    office.promise()
    office.clock.at = NIGHT

    assert deliver_due(office.runtime) == 1
