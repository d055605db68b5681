"""The supervisor: restarts the parts of one instance and stops them together."""

import select
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Self

from host.data_dir import PartFolder
from host.errors import StartupError
from host.logs import PipeLog
from host.process import Part, PartProcess, describe_exit
from sync import part_failures

START_TIMEOUT_S = 60.0
_POLL_INTERVAL_S = 0.03
_MIN_RESTART_WAIT_S = 0.1
_MAX_RESTART_WAIT_S = 30.0
_STABLE_AFTER_S = 20.0
_CHECK_INTERVAL_S = 10.0
# Five minutes: a machine may be busy.  A web process that hangs ends itself earlier.
_MAX_FAILED_CHECKS = 30
# Sooner, it may have been chance.
_FAILURES_BEFORE_REPLACING = 3
# Whoever kills a part says nothing about its files.
_FOREIGN_SIGNALS = (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT)
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(Exception):
    """The instance was asked to stop: Ctrl-C, SIGTERM or a closed terminal."""


class SignalWaiter:
    """Waits without polling for a signal, the end of a child or its output."""

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
        """Restore the signal handlers and close the pipes, in a fork."""
        self.__exit__()
        for output in self._outputs:
            output.close()

    def _request_stop(self, *_: object) -> None:
        self._is_stop_requested = True

    def add_output(self, output: PipeLog) -> None:
        """Copy this output of a part into its file during each wait."""
        self._outputs.append(output)

    def wait(self, seconds: float | None) -> None:
        """Wait for an event; raise `StopRequested` once for each request to stop."""
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
    """Do nothing: with a handler, the signal ends a wait."""


@dataclass(slots=True)
class SupervisedPart:
    """A part, its current process and its failures; times are monotonic.

    `process` is None if the part could not even be started.  `quarantined` is where its
    files are while it is tried without them; `ended_at` has its last unwanted ends.
    """

    part: Part
    process: PartProcess | None
    failures: int = 0
    restart_at: float | None = None
    check_at: float = 0.0
    failed_checks: int = 0
    ended_at: list[float] = field(default_factory=list)
    quarantined: Path | None = None
    was_replaced: bool = False

    @property
    def due_at(self) -> float | None:
        """The time of the next restart or check; None if only an event can come."""
        if self.restart_at is not None or self.part.is_healthy is None:
            return self.restart_at
        return self.check_at

    def count_end(self, now: float) -> None:
        started_at = self.process.started_at if self.process else now
        is_stable = now - started_at >= _STABLE_AFTER_S
        self.failures = 1 if is_stable else self.failures + 1
        if is_stable:
            self.quarantined, self.was_replaced = None, False
        self.ended_at = [*self.ended_at, now][-part_failures.MAX_ENDS :]


@dataclass(slots=True)
class Supervisor:
    """Starts parts, restarts those that end, and stops them all.

    A part that fails `max_failed_checks` checks in a row has hung: it is killed and
    started again.  A part that cannot start is tried without its own files, if it can
    do without: they get their place back if that is no better.  `publish_failing` is
    told which parts end again and again, and how often, when that changes.
    """

    waiter: SignalWaiter
    report: Callable[[str], None]
    check_interval_s: float = _CHECK_INTERVAL_S
    max_failed_checks: int = _MAX_FAILED_CHECKS
    publish_failing: Callable[[Mapping[str, int]], None] = lambda _failing: None
    _supervised: dict[str, SupervisedPart] = field(default_factory=dict)
    _published: dict[str, int] = field(default_factory=dict)

    def start(
        self, parts: Sequence[Part], *, meanwhile: Callable[[], None] | None = None
    ) -> None:
        """Start `parts` together and wait until each is ready.

        Raises `StartupError` if one ends or is not ready in time.
        """
        for part in parts:
            process = self._start_process(part)
            self._supervised[part.name] = SupervisedPart(part, process)
        if meanwhile:
            meanwhile()
        for part in parts:
            try:
                self._wait_until_ready(part)
            except StartupError as error:
                if part.folder is None:
                    raise
                self._start_without_files(part, part.folder, error)

    def _wait_until_ready(self, part: Part) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        process = self._supervised[part.name].process
        while process is not None and not part.is_ready(process):
            if process.has_ended() or time.monotonic() > deadline:
                code = process.kill_group()
                reason = _last_line(process) or describe_exit(code)
                raise StartupError(
                    f"The {part.name} part did not start: {reason} "
                    f"(its log: {part.log})"
                )
            self.waiter.wait(_POLL_INTERVAL_S)

    def _start_without_files(
        self, part: Part, folder: PartFolder, error: StartupError
    ) -> None:
        """Start a part in an empty folder; raise `error` if its files are no reason."""
        quarantined = folder.replace()
        try:
            self._supervised[part.name].process = self._start_process(part)
            self._wait_until_ready(part)
        except (StartupError, StopRequested) as second:
            self._end_process(part)
            folder.restore(quarantined)
            raise (error if isinstance(second, StartupError) else second) from None
        folder.report_replaced(quarantined, str(error))

    def _end_process(self, part: Part) -> None:
        process = self._supervised[part.name].process
        if process is not None:
            process.kill_group()

    def run_once(
        self, part: Part, *, meanwhile: Callable[[], None] | None = None
    ) -> None:
        """Run `part` to its end; raise `StartupError` with its last line on failure."""
        process = self._start_process(part)
        try:
            if meanwhile:
                meanwhile()
            while not process.has_ended():
                self.waiter.wait(_POLL_INTERVAL_S)
        finally:
            code = process.kill_group()
        if code:
            line = _last_line(process)
            raise StartupError(
                line.removeprefix("moodmiles: ")
                if line.startswith("moodmiles: ")
                else f"{part.name} failed; see {part.log}."
            )

    def run_until_stopped(self) -> NoReturn:
        """Keep all parts running until `StopRequested` is raised."""
        while True:
            for supervised in self._supervised.values():
                self._check_part(supervised)
            due_times = [
                supervised.due_at
                for supervised in self._supervised.values()
                if supervised.due_at is not None
            ]
            self._publish_failing()
            now = time.monotonic()
            # What failed may have recovered, which no event tells.
            due_times += [now + self.check_interval_s] if self._published else []
            self.waiter.wait(max(0.0, min(due_times) - now) if due_times else None)

    def stop(self, order: Sequence[str]) -> None:
        """End the parts in this order; a second request ends them at once."""
        processes = [
            supervised.process
            for name in order
            if (supervised := self._supervised.get(name)) and supervised.process
        ]
        try:
            for process in processes:
                process.terminate()
                deadline = time.monotonic() + process.part.stop_timeout_s
                while not process.has_ended() and time.monotonic() < deadline:
                    self.waiter.wait(_POLL_INTERVAL_S)
                process.kill_group()
        except StopRequested:
            self.report("Stopping at once.")
        finally:
            for process in processes:
                process.kill_group()

    def _start_process(self, part: Part) -> PartProcess:
        """Start a part; raise `StartupError` if this machine cannot."""
        try:
            process = PartProcess(part, self.waiter.detach)
        except OSError as error:
            raise StartupError(
                f"The {part.name} part cannot be started: {error}."
            ) from None
        self.waiter.add_output(process.output)
        return process

    def _check_part(self, supervised: SupervisedPart) -> None:
        now = time.monotonic()
        if supervised.restart_at is not None:
            if now >= supervised.restart_at:
                supervised.restart_at = None
                try:
                    supervised.process = self._start_process(supervised.part)
                except StartupError as error:
                    supervised.process = None
                    self._plan_restart(supervised, str(error))
                self._record_check(supervised, failed_checks=0)
        elif supervised.process is None or supervised.process.has_ended():
            code = supervised.process.kill_group() if supervised.process else 1
            self._plan_restart(
                supervised,
                f"The {supervised.part.name} part ended ({describe_exit(code)})",
            )
            if code not in _FOREIGN_SIGNALS:
                self._try_without_files(supervised)
        elif supervised.part.is_healthy is not None and now >= supervised.check_at:
            is_healthy = supervised.part.is_healthy(supervised.process)
            self._record_check(
                supervised,
                failed_checks=0 if is_healthy else supervised.failed_checks + 1,
            )
            if supervised.failed_checks >= self.max_failed_checks:
                self._kill_hung_part(supervised)

    def _plan_restart(self, supervised: SupervisedPart, what: str) -> None:
        now = time.monotonic()
        supervised.count_end(now)
        wait_s = get_restart_wait_s(supervised.failures)
        supervised.restart_at = now + wait_s
        self.report(f"{what.rstrip('.')}; starting it again in {wait_s:g} s.")

    def _try_without_files(self, supervised: SupervisedPart) -> None:
        """Let a part that fails again and again try it once without its files."""
        folder = supervised.part.folder
        if folder is None or supervised.failures < _FAILURES_BEFORE_REPLACING:
            return
        try:
            if supervised.quarantined is not None:
                folder.restore(supervised.quarantined)
                supervised.quarantined = None
                self.report(f"{folder.path} was not the reason: its files are back.")
            elif not supervised.was_replaced:
                supervised.was_replaced = True
                supervised.quarantined = folder.replace()
                folder.report_replaced(
                    supervised.quarantined,
                    f"the {supervised.part.name} part ends again and again",
                )
        except (StartupError, OSError) as error:
            self.report(str(error))

    def _publish_failing(self) -> None:
        """Publish the parts that end again and again, when these change."""
        now = time.monotonic()
        failing = {
            name: part_failures.count_ends(supervised.ended_at, now)
            for name, supervised in self._supervised.items()
            if part_failures.is_failing(supervised.ended_at, now)
        }
        if failing != self._published:
            self._published = failing
            self.publish_failing(failing)

    def _record_check(self, supervised: SupervisedPart, *, failed_checks: int) -> None:
        supervised.failed_checks = failed_checks
        supervised.check_at = time.monotonic() + self.check_interval_s

    def _kill_hung_part(self, supervised: SupervisedPart) -> None:
        self.report(f"The {supervised.part.name} part has hung.")
        self._end_process(supervised.part)
        self._check_part(supervised)


def get_restart_wait_s(failures: int) -> float:
    """Return the wait before the next start, which doubles with each failure."""
    return float(
        min(_MIN_RESTART_WAIT_S * 2 ** min(failures - 1, 20), _MAX_RESTART_WAIT_S)
    )


def _last_line(process: PartProcess) -> str:
    lines = [
        line.strip() for line in process.output_tail().splitlines() if line.strip()
    ]
    return lines[-1] if lines else ""
