"""The chaos gate in small: `make chaos` runs it at full size."""

import subprocess
import sys

import pytest
from sqlalchemy import select, update

from sync.models import Mail, Run
from tests.lab.chaos import checks
from tests.lab.chaos.mail_server import ReceivedMails
from tests.lab.chaos.scenario import ChaosScenario
from tests.support.harness import Harness
from tests.support.paths import ROOT

pytestmark = pytest.mark.processes

SMALL = {"runners": 20, "workers": 2, "minutes": 0.3, "every": 2}


def test_nothing_is_lost_whatever_goes_wrong() -> None:
    arguments = [f"--{name}={value}" for name, value in SMALL.items()]

    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "tests.lab.chaos", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def scenario(harness: Harness) -> ChaosScenario:
    """Let three runners link and one of them run."""
    scenario = ChaosScenario(harness, 1)
    for athlete_id in (7, 8, 9):
        harness.link_runner(harness.add_athlete(athlete_id))
    harness.process_all_due()
    harness.advance_clock(hours=1)
    run = harness.finish_run(next(iter(harness.world.athletes)))
    harness.deliver_event(next(iter(harness.world.athletes)), run.id, "create")
    harness.process_all_due()
    return scenario


def test_the_gate_sees_what_is_missing_too_much_and_different(
    scenario: ChaosScenario,
) -> None:
    harness = scenario.stage
    [run_id] = (activity.id for activity in harness.world.iter_activities())
    assert not list(checks.check_tables(harness, apart_from=set()))

    with harness.runtime.db.transaction() as session:
        session.execute(update(Run).values(distance_m=1))
    changed = list(checks.check_tables(harness, apart_from=set()))
    with harness.runtime.db.transaction() as session:
        session.execute(update(Run).values(source_id=1))
    swapped = list(checks.check_tables(harness, apart_from=set()))

    assert changed == [f"run {run_id} differs in distance_m (1 such runs)"]
    assert swapped == [
        f"1 runs of Strava's are not here, such as {run_id}",
        "1 runs are not Strava's any more, such as 1",
    ]


def test_the_gate_counts_every_mail(scenario: ChaosScenario) -> None:
    harness, letters = scenario.stage, ReceivedMails()
    with harness.runtime.db.transaction() as session:
        mail = session.scalars(select(Mail).where(Mail.kind == "survey")).one()
        mail.sent_at, mail.due_at = harness.clock(), None

    def findings() -> list[str]:
        return list(checks.check_mails(harness, letters, repeats_at_most=0))

    lost = findings()
    letters.counts[mail.message_id] = 1
    right = findings()
    letters.counts[mail.message_id] = 2
    twice = findings()

    assert lost == ["1 survey mails are marked as sent and did not arrive"]
    assert right == []
    assert twice == [
        (
            "1 survey mails came twice and 0 were withheld after they had left, though"
            " nothing died more than 0 times"
        )
    ]


def test_a_refusal_is_excused_only_by_a_lost_redis() -> None:
    assert list(checks.check_quota([5.0], [], workers=2)) == [
        "1 requests were over the limit"
    ]
    assert list(checks.check_quota([5.0], [4.0], workers=2)) == []
    assert list(checks.check_quota([5.0] * 3, [4.0], workers=2)) == [
        "3 requests were over the limit while Redis was lost"
    ]
