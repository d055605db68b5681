"""`moodmiles up`: run one instance with all its parts until it is stopped."""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from host import ports, preload
from host.data_dir import DataDirectory, lock_data_directory, print_message
from host.data_entries import DataEntry
from host.errors import StartupError
from host.options import InstanceOptions, load_options
from host.plan import STOP_ORDER, InstancePlan
from host.supervisor import SignalWaiter, StopRequested, Supervisor
from sync import part_failures
from sync.settings import load, require_encryption


def run(arguments: SimpleNamespace) -> int:
    return run_instance(load_options(arguments))


def run_instance(
    options: InstanceOptions, *, export: Path | None = None, is_seeded: bool = False
) -> int:
    """Run one instance in its data directory until it is asked to stop."""
    with lock_data_directory(options.data_dir) as home, SignalWaiter() as waiter:
        port = ports.choose_web_port(options.host, options.port)
        plan = InstancePlan(options, home, port=port, export=export)
        require_encryption(plan.address)
        supervisor = Supervisor(
            waiter, print_message, publish_failing=partial(publish_failing, home)
        )
        try:
            start_parts(plan, supervisor)
            if is_seeded:
                supervisor.run_once(plan.module_part("host.seeding"))
            print(f"Moodmiles is ready: {plan.address}", flush=True)
            supervisor.run_until_stopped()
        except StopRequested:
            pass
        finally:
            supervisor.stop(STOP_ORDER)
            for entry in (DataEntry.INSTANCE, DataEntry.FAILING_PARTS):
                with suppress(OSError):
                    (home.path / entry).unlink(missing_ok=True)
    return 0


def start_parts(plan: InstancePlan, supervisor: Supervisor) -> None:
    """Start tables, Redis and pages first, then worker and stand-ins."""
    preload.preload_modules(preload.DATABASE_MODULES)
    supervisor.run_once(
        plan.database_part(),
        meanwhile=partial(preload.preload_modules, preload.OTHER_MODULES),
    )
    # Only now: no key is new where something lies under a former one.
    plan.home.store_secrets(plan.secrets)
    plan.home.write_json(DataEntry.INSTANCE, plan.generated_settings)
    plan.home.write_json(DataEntry.FAILING_PARTS, part_failures.encode_failing({}))
    if plan.has_own_redis:
        supervisor.start([plan.redis_part()])
    supervisor.start([plan.web_part()])
    background_parts = [plan.worker_part()]
    if plan.has_simulator:
        background_parts.append(plan.simulator_part())
    if plan.has_own_mailbox:
        background_parts.append(plan.mailbox_part())
    try:
        supervisor.start(background_parts)
    except StartupError:
        if not plan.has_own_redis:
            require_redis()
        raise
    if plan.has_simulator:
        supervisor.run_once(plan.command_part("strava", "subscribe"))


def require_redis() -> None:
    """Raise `StartupError` with what is wrong with the host's own Redis, if anything.

    A worker waits for one, and says so in lines of its own.
    """
    # Only a start that has failed needs it.
    from host.broker_check import find_redis_fault  # noqa: PLC0415

    if fault := find_redis_fault(load()):
        raise StartupError(fault)


def publish_failing(home: DataDirectory, failing: Mapping[str, int]) -> None:
    """Say in a file which parts end again and again, for pages and `doctor`."""
    content = part_failures.encode_failing(failing)
    with suppress(OSError, StartupError):  # such as a full disk
        home.write_json(DataEntry.FAILING_PARTS, content)
