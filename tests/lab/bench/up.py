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
    Instance,
    cpu_s,
    part,
    pss_mb,
    seconds_until,
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
    instance = Instance(folder)
    seconds_until(instance.has_page)
    row("first page", monotonic() - instance.started_at, "s", "<= 2 s")
    seconds_until(instance.has_done_a_task)
    row("first finished task", monotonic() - instance.started_at, "s", "<= 4 s")
    seconds_until(lambda: all(leader(instance, which) for which in PARTS))
    seconds_until(instance.works)
    seconds_until(instance.has_nothing_to_do)
    row("CPU until then", sum(map(cpu_s, instance.pids())), "s")
    sleep(SETTLE_S)
    if whole:
        memory(instance)
        rest(instance)
        logs(instance)
        recovery(instance)
    goodbye(instance)


def memory(instance: Instance) -> None:
    sizes = [(name(instance, pid), pss_mb(pid)) for pid in instance.pids()]
    for which, size in sizes:
        row(f"  {which}", size, "MB")
    row("memory (PSS)", sum(size for _, size in sizes), "MB", "<= 200 MB")


def rest(instance: Instance) -> None:
    before = sum(map(cpu_s, instance.pids()))
    sleep(IDLE_S)
    used_s = sum(map(cpu_s, instance.pids())) - before
    row("idle CPU", 100 * used_s / IDLE_S, "%", "<= 2 %")


def logs(instance: Instance) -> None:
    """Let an hour of sweeps and its tidying pass in a minute, with nothing due."""
    lines, size = instance.log_lines()
    for _ in range(SWEEPS_AN_HOUR):
        instance.sweep()
        seconds_until(instance.has_nothing_to_do)
    instance.send("tidy")
    sleep(SETTLE_S)
    lines_after, size_after = instance.log_lines()
    row("log lines an idle hour", lines_after - lines, "", "<= 1 a part")
    row("log bytes an idle hour", (size_after - size) / 1000, "kB")


def recovery(instance: Instance) -> None:
    """Kill each part; it is back when another process bears its name and all works."""
    for which in PARTS:
        old = leader(instance, which)
        os.kill(old, signal.SIGKILL)
        killed_at = monotonic()
        seconds_until(partial(is_replaced, instance, which, old))
        seconds_until(instance.works)
        row(f"kill -9 {which}", monotonic() - killed_at, "s", "<= 5 s")
        sleep(2)


def is_replaced(instance: Instance, which: str, old: int) -> bool:
    return leader(instance, which) not in {0, old}


def goodbye(instance: Instance) -> None:
    pids = instance.pids()
    asked_at = monotonic()
    instance.process.send_signal(signal.SIGINT)
    instance.process.wait()
    seconds_until(lambda: not any(map(part, pids)))
    row("Ctrl-C to all gone", monotonic() - asked_at, "s", "<= 5 s")


def leader(instance: Instance, which: str) -> int:
    """Return the first process of a part; 0 if there is none."""
    pids = (pid for pid in instance.pids() if name(instance, pid) == which)
    return next(pids, 0)


def name(instance: Instance, pid: int) -> str:
    if pid == instance.process.pid:
        return "supervisor"
    return "redis" if part(pid) in SERVERS else part(pid)


def row(what: str, value: float, unit: str, aim: str = "") -> None:
    print(f"{what:24} {value:8.2f} {unit:3} {aim}", flush=True)


if __name__ == "__main__":
    main()
