"""What `moodmiles up` costs: seconds to work, memory, rest, logs, recovery, goodbye.

python -m tests.bench.up        prints; nothing is asserted; Linux only
"""

import os
import signal
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from tests.bench.instance import Instance, cpu_s, pss_mb, seconds_until, words

PARTS = {
    "redis": ("valkey-server", "redis-server"),
    "web": ("web.wsgi:app",),
    "worker": ("workers.worker",),
    "beat": ("workers.beat",),
    "simulator": ("sync.simulator",),
    "mailbox": ("host.mailbox",),
}
STARTS = 3
SETTLE_S = 8
IDLE_S = 20
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
    seconds_until(instance.works)
    row("first finished task", monotonic() - instance.started_at, "s", "<= 4 s")
    seconds_until(instance.has_parts)
    sleep(SETTLE_S)
    if whole:
        memory(instance)
        rest(instance)
        logs(instance)
        recovery(instance)
    goodbye(instance)


def memory(instance: Instance) -> None:
    pids = instance.pids()
    for pid in pids:
        row(f"  {part(pid)}", pss_mb(pid), "MB")
    row("memory (PSS)", sum(map(pss_mb, pids)), "MB", "<= 250 MB")


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
    instance.send("tidy")
    sleep(SETTLE_S)
    lines_after, size_after = instance.log_lines()
    row("log lines an idle hour", lines_after - lines, "", "<= 1 a part")
    row("log bytes an idle hour", (size_after - size) / 1000, "kB")


def recovery(instance: Instance) -> None:
    for name, signs in PARTS.items():
        leader = next(
            pid for pid in instance.pids() if any(sign in words(pid) for sign in signs)
        )
        os.kill(leader, signal.SIGKILL)
        took_s = seconds_until(instance.works)
        row(f"kill -9 {name}", took_s, "s", "<= 5 s")
        sleep(2)


def goodbye(instance: Instance) -> None:
    pids = instance.pids()
    asked_at = monotonic()
    instance.process.send_signal(signal.SIGINT)
    instance.process.wait()
    seconds_until(lambda: not any(map(words, pids)))
    row("Ctrl-C to all gone", monotonic() - asked_at, "s", "<= 5 s")


def part(pid: int) -> str:
    line = words(pid)
    found = (
        name for name, signs in PARTS.items() if any(sign in line for sign in signs)
    )
    return next(found, "supervisor")


def row(what: str, value: float, unit: str, aim: str = "") -> None:
    print(f"{what:24} {value:8.2f} {unit:3} {aim}", flush=True)


if __name__ == "__main__":
    main()
