"""What `moodmiles up` costs: seconds to work, memory, rest, logs, recovery, goodbye.

python -m tests.lab.bench.up        prints; nothing is asserted; Linux only

Memory and rest are measured when the worker has looked for work of every kind and
found none: a process that has only started has not loaded what it needs to look.
"""

import os
import signal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from tests.lab.bench.measured_instance import (
    MeasuredInstance,
    cpu_s,
    measure_seconds_until,
    name_part,
    pss_mb,
)

PARTS = ("web", "worker", "simulator", "mailbox", "redis")
SERVERS = ("redis-server", "valkey-server")
STARTS = 3
SETTLE_S = 8
IDLE_S = 60
SWEEPS_AN_HOUR = 60


def main() -> None:
    for number in range(1, STARTS + 1):
        with TemporaryDirectory() as folder:
            print(f"start {number}")
            measure(Path(folder), whole=number == STARTS)


def measure(folder: Path, *, whole: bool) -> None:
    instance = MeasuredInstance(folder)
    measure_seconds_until(instance.has_page)
    print_row("first page", monotonic() - instance.started_at, "s", "<= 2 s")
    measure_seconds_until(instance.has_done_a_task)
    print_row("first finished task", monotonic() - instance.started_at, "s", "<= 4 s")
    measure_seconds_until(lambda: all(leader(instance, which) for which in PARTS))
    measure_seconds_until(instance.is_working)
    measure_seconds_until(instance.has_nothing_to_do)
    print_row("CPU until then", sum(map(cpu_s, instance.list_pids())), "s")
    sleep(SETTLE_S)
    if whole:
        measure_memory(instance)
        measure_rest(instance)
        measure_logs(instance)
        measure_recovery(instance)
    measure_shutdown(instance)


def measure_memory(instance: MeasuredInstance) -> None:
    sizes = [(name(instance, pid), pss_mb(pid)) for pid in instance.list_pids()]
    for which, size in sizes:
        print_row(f"  {which}", size, "MB")
    print_row("memory (PSS)", sum(size for _, size in sizes), "MB", "<= 200 MB")


def measure_rest(instance: MeasuredInstance) -> None:
    before = sum(map(cpu_s, instance.list_pids()))
    sleep(IDLE_S)
    used_s = sum(map(cpu_s, instance.list_pids())) - before
    print_row("idle CPU", 100 * used_s / IDLE_S, "%", "<= 2 %")


def measure_logs(instance: MeasuredInstance) -> None:
    """Let an hour of sweeps and its tidying pass in a minute, with nothing due."""
    lines, size = instance.log_lines()
    for _ in range(SWEEPS_AN_HOUR):
        instance.sweep()
        measure_seconds_until(instance.has_nothing_to_do)
    instance.send("tidy")
    sleep(SETTLE_S)
    lines_after, size_after = instance.log_lines()
    print_row("log lines an idle hour", lines_after - lines, "", "<= 1 a part")
    print_row("log bytes an idle hour", (size_after - size) / 1000, "kB")


def measure_recovery(instance: MeasuredInstance) -> None:
    """Kill each part; it is back when another process bears its name and all works."""
    for which in PARTS:
        old = leader(instance, which)
        os.kill(old, signal.SIGKILL)
        killed_at = monotonic()
        measure_seconds_until(partial(is_replaced, instance, which, old))
        measure_seconds_until(instance.is_working)
        print_row(f"kill -9 {which}", monotonic() - killed_at, "s", "<= 5 s")
        sleep(2)


def is_replaced(instance: MeasuredInstance, which: str, old: int) -> bool:
    return leader(instance, which) not in {0, old}


def measure_shutdown(instance: MeasuredInstance) -> None:
    pids = instance.list_pids()
    asked_at = monotonic()
    instance.process.send_signal(signal.SIGINT)
    instance.process.wait()
    measure_seconds_until(lambda: not any(map(name_part, pids)))
    print_row("Ctrl-C to all gone", monotonic() - asked_at, "s", "<= 5 s")


def leader(instance: MeasuredInstance, which: str) -> int:
    """Return the first process of a part; 0 if there is none."""
    pids = (pid for pid in instance.list_pids() if name(instance, pid) == which)
    return next(pids, 0)


def name(instance: MeasuredInstance, pid: int) -> str:
    if pid == instance.process.pid:
        return "supervisor"
    return "redis" if name_part(pid) in SERVERS else name_part(pid)


def print_row(label: str, value: float, unit: str, aim: str = "") -> None:
    print(f"{label:24} {value:8.2f} {unit:3} {aim}", flush=True)


if __name__ == "__main__":
    main()
