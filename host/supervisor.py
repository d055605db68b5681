"""Keeps the parts of one instance alive and ends them together."""

import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn, Self

from host.errors import StartupError
from host.logs import PipeLog
from host.process import Part, Process, describe_exit

START_TIMEOUT_S = 60.0
_POLL_INTERVAL_S = 0.03
_MIN_RESTART_WAIT_S = 0.1
_MAX_RESTART_WAIT_S = 30.0
_STEADY_AFTER_S = 20.0
_CHECK_INTERVAL_S = 10.0
# Five minutes: a machine may be busy, and somebody may upload by a slow line.
_MAX_FAILED_CHECKS = 30
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(Exception):
    """Somebody asked us to stop: Ctrl-C, SIGTERM or a closed terminal."""


class SignalWaiter:
    """Waits without polling; rung by a signal, the end of a child or its words."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._is_stop_requested = False
        self._outputs: list[PipeLog] = []
        self._previous_handlers: dict[int, Any] = {}

    def __enter__(self) -> Self:
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._previous_handlers[signal.SIGCHLD] = signal.signal(
            signal.SIGCHLD, _ignore_signal
        )
        for number in _STOP_SIGNALS:
            self._previous_handlers[number] = signal.signal(number, self._request_stop)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        self._reader.close()
        self._writer.close()

    def detach(self) -> None:
        """In a fork: take signals as they come, ring nobody's bell, carry no words."""
        self.__exit__()
        for output in self._outputs:
            output.close()

    def _request_stop(self, *_: object) -> None:
        self._is_stop_requested = True

    def add_output(self, output: PipeLog) -> None:
        """Carry what a part writes into its file, whenever we wait."""
        self._outputs.append(output)

    def wait(self, seconds: float | None) -> None:
        """Sleep until something happens; raise `Stopped` once, when asked to stop."""
        if not self._is_stop_requested:
            self._outputs = [output for output in self._outputs if output.is_open]
            sources: list[socket.socket | PipeLog] = [self._reader, *self._outputs]
            readable, _, _ = select.select(sources, [], [], seconds)
            for output in self._outputs:
                if output in readable:
                    output.read_chunk()
            with suppress(BlockingIOError):
                self._reader.recv(4096)
        if self._is_stop_requested:
            self._is_stop_requested = False
            raise StopRequested


def _ignore_signal(*_: object) -> None:
    """Do nothing: that there is a handler makes the signal ring the bell."""


@dataclass(slots=True)
class _SupervisedPart:
    part: Part
    process: Process
    failures: int = 0
    restart_at: float | None = None
    check_at: float = 0.0
    failed_checks: int = 0


@dataclass(slots=True)
class Supervisor:
    """Starts parts one after another, restarts what falls over, stops them all.

    A part that runs and was not well `most_misses` times in a row has hung: it
    is killed, and so started again.
    """

    waiter: SignalWaiter
    report: Callable[[str], None]
    check_interval_s: float = _CHECK_INTERVAL_S
    max_failed_checks: int = _MAX_FAILED_CHECKS
    _supervised: dict[str, _SupervisedPart] = field(default_factory=dict)

    def start(
        self, parts: Sequence[Part], *, meanwhile: Callable[[], None] | None = None
    ) -> None:
        """Start `parts` together and wait until each of them works."""
        for part in parts:
            self._supervised[part.name] = _SupervisedPart(
                part, self._start_process(part)
            )
        if meanwhile:
            meanwhile()
        for part in parts:
            self._wait_until_ready(part)

    def run_once(
        self, part: Part, *, meanwhile: Callable[[], None] | None = None
    ) -> None:
        """Run `part` to its end; if it fails, pass on the sentence it left."""
        process = self._start_process(part)
        try:
            if meanwhile:
                meanwhile()
            while not process.has_ended():
                self.waiter.wait(_POLL_INTERVAL_S)
        finally:
            code = process.kill_group()
        if code:
            raise StartupError(_failure_message(process))

    def run_until_stopped(self) -> NoReturn:
        """Keep all parts running until somebody asks us to stop."""
        while True:
            for supervised in self._supervised.values():
                self._check_part(supervised)
            check_times = (
                _next_check_at(supervised) for supervised in self._supervised.values()
            )
            pending = [at for at in check_times if at is not None]
            now = time.monotonic()
            self.waiter.wait(max(0.0, min(pending) - now) if pending else None)

    def stop(self, order: Sequence[str]) -> None:
        """End the parts in this order; a second request ends them at once."""
        supervised = [
            self._supervised[name] for name in order if name in self._supervised
        ]
        try:
            for supervised_part in supervised:
                self._stop_process(supervised_part.process)
        except StopRequested:
            self.report("Stopping at once.")
        finally:
            for supervised_part in supervised:
                supervised_part.process.kill_group()

    def _start_process(self, part: Part) -> Process:
        process = Process(part, self.waiter.detach)
        self.waiter.add_output(process.output)
        return process

    def _wait_until_ready(self, part: Part) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        process = self._supervised[part.name].process
        while not part.is_ready(process):
            if process.has_ended() or time.monotonic() > deadline:
                code = process.kill_group()
                reason = _last_line(process) or describe_exit(code)
                raise StartupError(
                    f"The {part.name} part did not start: {reason} "
                    f"(its log: {part.log})"
                )
            self.waiter.wait(_POLL_INTERVAL_S)

    def _check_part(self, supervised: _SupervisedPart) -> None:
        now = time.monotonic()
        if supervised.restart_at is not None:
            if now >= supervised.restart_at:
                supervised.process = self._start_process(supervised.part)
                supervised.restart_at = None
                self._record_check(supervised, failed_checks=0)
        elif supervised.process.has_ended():
            code = supervised.process.kill_group()
            was_steady = now - supervised.process.started_at >= _STEADY_AFTER_S
            supervised.failures = 1 if was_steady else supervised.failures + 1
            wait_s = get_restart_wait_s(supervised.failures)
            supervised.restart_at = now + wait_s
            self.report(
                f"The {supervised.part.name} part ended ({describe_exit(code)}); "
                f"starting it again in {wait_s:g} s."
            )
        elif supervised.part.is_healthy is not None and now >= supervised.check_at:
            is_healthy = supervised.part.is_healthy(supervised.process)
            self._record_check(
                supervised,
                failed_checks=0 if is_healthy else supervised.failed_checks + 1,
            )

    def _record_check(self, supervised: _SupervisedPart, *, failed_checks: int) -> None:
        supervised.failed_checks = failed_checks
        supervised.check_at = time.monotonic() + self.check_interval_s
        if failed_checks >= self.max_failed_checks:
            self.report(f"The {supervised.part.name} part has hung.")
            supervised.process.kill_group()
            self._check_part(supervised)

    def _stop_process(self, process: Process) -> None:
        process.terminate()
        deadline = time.monotonic() + process.part.stop_timeout_s
        while not process.has_ended() and time.monotonic() < deadline:
            self.waiter.wait(_POLL_INTERVAL_S)
        process.kill_group()


def _next_check_at(supervised: _SupervisedPart) -> float | None:
    """Return when this part wants attention even if nothing happens to it."""
    if supervised.restart_at is not None or supervised.part.is_healthy is None:
        return supervised.restart_at
    return supervised.check_at


def get_restart_wait_s(failures: int) -> float:
    """Return how long to wait before the next start: at once, then ever longer."""
    return float(
        min(_MIN_RESTART_WAIT_S * 2 ** min(failures - 1, 20), _MAX_RESTART_WAIT_S)
    )


def _failure_message(process: Process) -> str:
    line = _last_line(process)
    if line.startswith("moodmiles: "):
        return line.removeprefix("moodmiles: ")
    return f"{process.part.name} failed; see {process.part.log}."


def _last_line(process: Process) -> str:
    lines = [
        line.strip() for line in process.output_tail().splitlines() if line.strip()
    ]
    return lines[-1] if lines else ""
