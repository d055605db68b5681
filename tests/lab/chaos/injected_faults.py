"""What goes wrong: each trouble says what it does, and how it ends."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from time import monotonic

from sync.simulator.records import FaultKind, SimulatedFault
from tests.lab.chaos.installation import ClubInstallation

AWAY_S = 1.5
WINDOW_S = 3.0
MAIL_AWAY_S = 5.0
WRONG_CLOCK_S = 8.0
KINDS: tuple[FaultKind, ...] = ("status", "html", "empty", "reset", "slow")
WRONG_BY_S = (-7200, -90, 90, 7200)


def _do_nothing() -> None:
    """Do nothing: this trouble is over as soon as it has come."""


@dataclass(frozen=True)
class InjectedFault:
    """A sentence for whoever watches, and what ends it after so long."""

    message: str
    duration_s: float = 0.0
    end: Callable[[], None] = _do_nothing


class FaultInjector:
    """Brings one after the other, each kind once before any comes again."""

    def __init__(self, installation: ClubInstallation, number: int) -> None:
        self._club = installation
        self._rng = Random(number)  # noqa: S311
        self._kinds: list[Callable[[], InjectedFault]] = []
        self._endings: list[tuple[float, Callable[[], None]]] = []
        self.postgres_restarts = 0
        self.redis_lost_at: list[float] = []

    def inject_next(self) -> str:
        """Let something go wrong and say what."""
        if not self._kinds:
            self._kinds = [
                self._kill_worker,
                self._kill_web,
                self._restart_redis,
                self._flush_redis,
                self._restart_postgres,
                self._refuse_requests,
                self._break_strava,
                self._stop_mail_server,
                self._offset_clock,
            ]
            self._rng.shuffle(self._kinds)
        trouble = self._kinds.pop()()
        self._endings.append((monotonic() + trouble.duration_s, trouble.end))
        return trouble.message

    def end_expired(self, *, all_of_them: bool = False) -> None:
        """End what has lasted long enough."""
        now = monotonic()
        expired = [
            ending for ending in self._endings if all_of_them or ending[0] <= now
        ]
        self._endings = [ending for ending in self._endings if ending not in expired]
        for _, end in expired:
            end()

    def _kill_worker(self) -> InjectedFault:
        worker = self._rng.choice(self._club.workers)
        if self._rng.random() < 0.5 and worker.kill_child():
            return InjectedFault(f"kill -9 of {worker.name}'s child")
        worker.kill()
        return InjectedFault(f"kill -9 of {worker.name}")

    def _kill_web(self) -> InjectedFault:
        self._club.web.kill()
        return InjectedFault("kill -9 of web")

    def _restart_redis(self) -> InjectedFault:
        self.redis_lost_at.append(monotonic())
        self._club.redis.stop()
        return InjectedFault("Redis is away", AWAY_S, self._club.redis.start)

    def _flush_redis(self) -> InjectedFault:
        self.redis_lost_at.append(monotonic())
        self._club.redis.flush()
        return InjectedFault("Redis is emptied")

    def _restart_postgres(self) -> InjectedFault:
        self.postgres_restarts += 1
        self._club.postgres.stop()
        return InjectedFault("PostgreSQL is away", AWAY_S, self._club.postgres.start)

    def _refuse_requests(self) -> InjectedFault:
        return self._fault("Strava answers 429", "status", status=429)

    def _break_strava(self) -> InjectedFault:
        kind = self._rng.choice(KINDS)
        return self._fault(f"Strava is broken ({kind})", kind, seconds=0.5)

    def _fault(
        self, message: str, kind: FaultKind, *, status: int = 500, seconds: float = 0.0
    ) -> InjectedFault:
        world = self._club.harness.world
        with world.transaction():
            number = world.next_id("fault")
            world.faults.put(
                SimulatedFault(id=number, kind=kind, status=status, seconds=seconds)
            )

        def end() -> None:
            with world.transaction():
                world.faults.remove(number)

        return InjectedFault(message, WINDOW_S, end)

    def _stop_mail_server(self) -> InjectedFault:
        self._club.post.close()
        return InjectedFault(
            "the mail server is away", MAIL_AWAY_S, self._club.post.open
        )

    def _offset_clock(self) -> InjectedFault:
        name = self._rng.choice(self._club.services).name
        by_s = self._rng.choice(WRONG_BY_S)
        clocks = self._club.clocks
        clocks.set_offset(name, by_s)
        return InjectedFault(
            f"the clock of {name} jumps by {by_s:+d} s",
            WRONG_CLOCK_S,
            lambda: clocks.set_offset(name, 0.0),
        )
