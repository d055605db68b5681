"""`moodmiles up`: one instance with all its parts, until somebody stops it."""

import sys
from argparse import Namespace
from functools import partial
from pathlib import Path

from host import ports, preload
from host.data_dir import INSTANCE_FILE, opened
from host.options import Wishes, wishes
from host.plan import STOP_ORDER, Plan
from host.supervisor import Bell, Stopped, Supervisor


def run(arguments: Namespace) -> int:
    return run_instance(wishes(arguments))


def run_instance(
    wanted: Wishes, *, export: Path | None = None, seeded: bool = False
) -> int:
    """Run one instance in its data directory until it is asked to stop."""
    with opened(wanted.data_dir) as home, Bell() as bell:
        port = ports.web_port(wanted.host, wanted.port)
        plan = Plan(wanted, home, port=port, export=export)
        supervisor = Supervisor(bell, say=_say)
        try:
            start(plan, supervisor)
            if seeded:
                supervisor.run_once(plan.module("host.seeding"))
            print(f"Moodmiles is ready: {plan.address}", flush=True)
            supervisor.watch()
        except Stopped:
            pass
        finally:
            supervisor.stop(STOP_ORDER)
            (home.path / INSTANCE_FILE).unlink(missing_ok=True)
    return 0


def start(plan: Plan, supervisor: Supervisor) -> None:
    """Start in order: tables, then what the pages need, then what works behind."""
    preload.load(preload.TABLES)
    supervisor.run_once(
        plan.command("db", "upgrade"), meanwhile=partial(preload.load, preload.REST)
    )
    plan.home.write(INSTANCE_FILE, dict(plan.made_up))
    if plan.has_own_redis:
        supervisor.start([plan.redis()])
    supervisor.start([plan.web()])
    behind = [plan.worker()]
    if plan.has_simulator:
        behind.append(plan.simulator())
    if plan.has_own_mailbox:
        behind.append(plan.mailbox())
    supervisor.start(behind)
    if plan.has_simulator:
        supervisor.run_once(plan.command("strava", "subscribe"))


def _say(sentence: str) -> None:
    print(f"moodmiles: {sentence}", file=sys.stderr, flush=True)
