"""The chaos gate: `python -m tests.lab.chaos --help`.

Real PostgreSQL, Redis, web, workers, schedule and mail server, a simulated Strava
with small limits, and every few seconds something goes wrong.  At the end every
acknowledged event must be reflected, the tables must be Strava's, no request may
have been over the limit, and each run that was to be asked about was, once.
"""

import logging
import signal
import sys
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from time import monotonic, sleep
from typing import NoReturn

import structlog

from sync.simulator.records import DeliverySettings
from tests.lab.chaos import checks
from tests.lab.chaos.injected_faults import FaultInjector
from tests.lab.chaos.installation import (
    NO_LIMITS,
    RETRY_GAP_S,
    ClubInstallation,
    ClubSize,
    open_installation,
)
from tests.lab.chaos.scenario import ChaosScenario
from tests.lab.chaos.settle import wait_until_settled
from tests.lab.faketime import FaketimeNotFound

TICK_S = 0.25
TICK_OF_THE_STORY_S = 5
WAKE_EVERY_S = 3.0
STARTED_AT = monotonic()
RELIABLE_DELIVERY = DeliverySettings(retry_gap_s=RETRY_GAP_S)
UNRELIABLE_DELIVERY = replace(RELIABLE_DELIVERY, drop=0.05, double=0.1, reorder=0.2)


def main() -> int:
    options = _parse_options()
    signal.signal(signal.SIGTERM, _exit_on_signal)
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=quiet)
    try:
        with open_installation(
            ClubSize(options.runners, options.workers)
        ) as installation:
            findings = _run_gate(installation, options)
    except FaketimeNotFound as error:
        findings = [str(error)]
    if not findings:
        _print_progress(
            "Nothing was lost, nothing was doubled, no request was over the limit."
        )
        return 0
    _print_progress(f"{len(findings)} things are wrong:")
    for finding in findings:
        _print_progress(f"  - {finding}")
    return 1


def _exit_on_signal(*_: object) -> NoReturn:
    """Leave nothing running behind."""
    sys.exit("Stopped.")


def _parse_options() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.lab.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--runners", type=int, default=200)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--every", type=float, default=5.0, help="seconds of peace")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _run_gate(installation: ClubInstallation, options: Namespace) -> list[str]:
    scenario = ChaosScenario(installation.harness, options.seed)
    troubles = FaultInjector(installation, options.seed)
    world = installation.harness.world
    scenario.begin(options.runners, options.seed)
    # What the past has cost is not held against us.
    installation.clocks.advance(minutes=15)
    with world.transaction():
        world.put_singleton(ClubSize(options.runners, options.workers).limits)
    installation.start()
    findings = wait_until_settled(installation, scenario)
    with world.transaction():
        world.put_singleton(UNRELIABLE_DELIVERY)
    _print_progress(
        f"{len(list(world.iter_activities()))} runs are known; trouble begins"
    )
    _run_scenario(installation, scenario, troubles, options)
    _print_progress("trouble ends; settling ...")
    with world.transaction():
        world.put_singleton(RELIABLE_DELIVERY)
    while scenario.newcomers:
        scenario.link_newcomer()
    findings += wait_until_settled(installation, scenario)
    findings += _check_before_reconcile(installation, scenario, troubles)
    _print_progress("a month later each runner's whole list is compared ...")
    with world.transaction():
        world.put_singleton(NO_LIMITS)
    installation.clocks.advance(days=29)
    findings += wait_until_settled(installation, scenario, with_reconciling=True)
    findings += checks.check_tables(installation.harness, apart_from=set())
    findings += checks.check_links(installation.harness)
    findings += checks.check_quota(
        scenario.refused_at, troubles.redis_lost_at, workers=options.workers
    )
    _print_summary(installation, scenario)
    return list(dict.fromkeys(findings))


def _run_scenario(
    installation: ClubInstallation,
    scenario: ChaosScenario,
    troubles: FaultInjector,
    options: Namespace,
) -> None:
    ends_at = monotonic() + options.minutes * 60
    next_trouble_at = monotonic() + options.every
    next_wake_at = 0.0
    while monotonic() < ends_at:
        installation.clocks.advance(seconds=TICK_OF_THE_STORY_S)
        scenario.act_randomly()
        scenario.record_events()
        troubles.end_expired()
        installation.keep_running()
        if monotonic() >= next_trouble_at:
            _print_progress(troubles.inject_next())
            next_trouble_at += options.every
        if monotonic() >= next_wake_at:
            installation.wake_all_queues()
            next_wake_at = monotonic() + WAKE_EVERY_S
        sleep(TICK_S)
    troubles.end_expired(all_of_them=True)


def _check_before_reconcile(
    installation: ClubInstallation, scenario: ChaosScenario, troubles: FaultInjector
) -> list[str]:
    deaths = sum(worker.deaths for worker in installation.workers)
    received_mails = installation.post.received_mails
    return [
        *checks.check_events(installation.harness, scenario),
        *checks.check_tables(
            installation.harness, apart_from=scenario.list_unreported_runs()
        ),
        *checks.check_mails(
            installation.harness,
            received_mails,
            repeats_at_most=deaths + troubles.postgres_restarts,
        ),
        *checks.check_quiet_runners(installation.harness, scenario, received_mails),
    ]


def _print_summary(installation: ClubInstallation, scenario: ChaosScenario) -> None:
    counts = {
        counter.name: counter.value for counter in installation.harness.world.counters
    }
    event_count = len(scenario.acknowledged())
    mail_count = len(installation.post.received_mails.counts)
    reads = counts.get("requests list", 0) + counts.get("requests detail", 0)
    _print_progress(
        f"{event_count} events acknowledged, {reads} requests, {mail_count} mails"
    )


def _print_progress(sentence: str) -> None:
    print(f"{monotonic() - STARTED_AT:6.1f} s  {sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
