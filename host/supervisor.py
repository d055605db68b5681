"""Keeps the parts of one instance alive and ends them together."""

import select
import signal
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn, Self

from host.errors import CannotStart
from host.logs import Output
from host.process import Part, Process, ending

START_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.03
_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 30.0
_STEADY_AFTER_S = 20.0
_CHECK_EVERY_S = 10.0
# Five minutes: a machine may be busy, and somebody may upload by a slow line.
_MOST_MISSES = 30
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Somebody asked us to stop: Ctrl-C, SIGTERM or a closed terminal."""


class Bell:
    """Waits without polling; rung by a signal, the end of a child or its words."""

    def __init__(self) -> None:
        self._ear, self._hammer = socket.socketpair()
        self._ear.setblocking(False)
        self._hammer.setblocking(False)
        self._stopping = False
        self._outputs: list[Output] = []
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        signal.set_wakeup_fd(self._hammer.fileno(), warn_on_full_buffer=False)
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, _nothing)
        for number in _STOPPING:
            self._before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        self._ear.close()
        self._hammer.close()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def attend(self, output: Output) -> None:
        """Carry what a part writes into its file, whenever we wait."""
        self._outputs.append(output)

    def wait(self, seconds: float | None) -> None:
        """Sleep until something happens; raise `Stopped` once, when asked to stop."""
        if not self._stopping:
            self._outputs = [output for output in self._outputs if output.is_open]
            ears: list[socket.socket | Output] = [self._ear, *self._outputs]
            heard, _, _ = select.select(ears, [], [], seconds)
            for output in self._outputs:
                if output in heard:
                    output.read()
            with suppress(BlockingIOError):
                self._ear.recv(4096)
        if self._stopping:
            self._stopping = False
            raise Stopped


def _nothing(*_: object) -> None:
    """Do nothing: that there is a handler makes the signal ring the bell."""


@dataclass(slots=True)
class _Watched:
    part: Part
    process: Process
    failures: int = 0
    again_at: float | None = None
    check_at: float = 0.0
    misses: int = 0


@dataclass(slots=True)
class Supervisor:
    """Starts parts one after another, restarts what falls over, stops them all.

    A part that runs and was not well `most_misses` times in a row has hung: it
    is killed, and so started again.
    """

    bell: Bell
    say: Callable[[str], None]
    check_every_s: float = _CHECK_EVERY_S
    most_misses: int = _MOST_MISSES
    _watched: dict[str, _Watched] = field(default_factory=dict)

    def start(self, parts: Sequence[Part]) -> None:
        """Start `parts` together and wait until each of them works."""
        for part in parts:
            self._watched[part.name] = _Watched(part, self._process(part))
        for part in parts:
            self._await(part)

    def run_once(self, part: Part) -> None:
        """Run `part` to its end; if it fails, pass on the sentence it left."""
        process = self._process(part)
        try:
            while not process.has_ended():
                self.bell.wait(_LOOK_EVERY_S)
        finally:
            code = process.kill_group()
        if code:
            raise CannotStart(_last_words(process))

    def watch(self) -> NoReturn:
        """Keep all parts running until somebody asks us to stop."""
        while True:
            for watched in self._watched.values():
                self._look_after(watched)
            looks = (_next_look(watched) for watched in self._watched.values())
            pending = [at for at in looks if at is not None]
            now = time.monotonic()
            self.bell.wait(max(0.0, min(pending) - now) if pending else None)

    def stop(self, order: Sequence[str]) -> None:
        """End the parts in this order; a second request ends them at once."""
        watched = [self._watched[name] for name in order if name in self._watched]
        try:
            for each in watched:
                self._end(each.process)
        except Stopped:
            self.say("Stopping at once.")
        finally:
            for each in watched:
                each.process.kill_group()

    def _process(self, part: Part) -> Process:
        process = Process(part)
        self.bell.attend(process.output)
        return process

    def _await(self, part: Part) -> None:
        deadline = time.monotonic() + START_WITHIN_S
        process = self._watched[part.name].process
        while not part.is_ready(process):
            if process.has_ended() or time.monotonic() > deadline:
                code = process.kill_group()
                why = _last_line(process) or ending(code)
                raise CannotStart(
                    f"The {part.name} part did not start: {why} (its log: {part.log})"
                )
            self.bell.wait(_LOOK_EVERY_S)

    def _look_after(self, watched: _Watched) -> None:
        now = time.monotonic()
        if watched.again_at is not None:
            if now >= watched.again_at:
                watched.process = self._process(watched.part)
                watched.again_at = None
                self._check_later(watched, misses=0)
        elif watched.process.has_ended():
            code = watched.process.kill_group()
            steady = now - watched.process.started_at >= _STEADY_AFTER_S
            watched.failures = 1 if steady else watched.failures + 1
            wait_s = restart_wait_s(watched.failures)
            watched.again_at = now + wait_s
            self.say(
                f"The {watched.part.name} part ended ({ending(code)}); "
                f"starting it again in {wait_s:g} s."
            )
        elif watched.part.is_well is not None and now >= watched.check_at:
            well = watched.part.is_well(watched.process)
            self._check_later(watched, misses=0 if well else watched.misses + 1)

    def _check_later(self, watched: _Watched, *, misses: int) -> None:
        watched.misses = misses
        watched.check_at = time.monotonic() + self.check_every_s
        if misses >= self.most_misses:
            self.say(f"The {watched.part.name} part has hung.")
            watched.process.kill_group()
            self._look_after(watched)

    def _end(self, process: Process) -> None:
        process.ask_to_end()
        deadline = time.monotonic() + process.part.ends_within_s
        while not process.has_ended() and time.monotonic() < deadline:
            self.bell.wait(_LOOK_EVERY_S)
        process.kill_group()


def _next_look(watched: _Watched) -> float | None:
    """Return when this part wants attention even if nothing happens to it."""
    if watched.again_at is not None or watched.part.is_well is None:
        return watched.again_at
    return watched.check_at


def restart_wait_s(failures: int) -> float:
    """Return how long to wait before the next start: at once, then ever longer."""
    return float(min(_FIRST_WAIT_S * 2 ** min(failures - 1, 20), _LONGEST_WAIT_S))


def _last_words(process: Process) -> str:
    line = _last_line(process)
    if line.startswith("moodmiles: "):
        return line.removeprefix("moodmiles: ")
    return f"{process.part.name} failed; see {process.part.log}."


def _last_line(process: Process) -> str:
    lines = [line.strip() for line in process.said().splitlines() if line.strip()]
    return lines[-1] if lines else ""
