"""What goes wrong: each trouble says what it does, and how it ends."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from time import monotonic

from sync.simulator.records import Fault, FaultKind
from tests.lab.chaos.installation import Club

AWAY_S = 1.5
WINDOW_S = 3.0
MAIL_AWAY_S = 5.0
WRONG_CLOCK_S = 8.0
KINDS: tuple[FaultKind, ...] = ("status", "html", "empty", "reset", "slow")
WRONG_BY_S = (-7200, -90, 90, 7200)


def _nothing() -> None:
    """Do nothing: this trouble is over as soon as it has come."""


@dataclass(frozen=True)
class Trouble:
    """A sentence for whoever watches, and what ends it after so long."""

    said: str
    lasts_s: float = 0.0
    end: Callable[[], None] = _nothing


class Troubles:
    """Brings one after the other, each kind once before any comes again."""

    def __init__(self, club: Club, number: int) -> None:
        self._club = club
        self._chance = Random(number)  # noqa: S311
        self._kinds: list[Callable[[], Trouble]] = []
        self._endings: list[tuple[float, Callable[[], None]]] = []
        self.postgres_restarts = 0
        self.redis_lost_at: list[float] = []

    def next(self) -> str:
        """Let something go wrong and say what."""
        if not self._kinds:
            self._kinds = [
                self._kill_worker,
                self._kill_web,
                self._restart_redis,
                self._flush_redis,
                self._restart_postgres,
                self._refuse,
                self._break_strava,
                self._close_post,
                self._bend_clock,
            ]
            self._chance.shuffle(self._kinds)
        trouble = self._kinds.pop()()
        self._endings.append((monotonic() + trouble.lasts_s, trouble.end))
        return trouble.said

    def end(self, *, all_of_them: bool = False) -> None:
        """End what has lasted long enough."""
        now = monotonic()
        over = [one for one in self._endings if all_of_them or one[0] <= now]
        self._endings = [one for one in self._endings if one not in over]
        for _, end in over:
            end()

    def _kill_worker(self) -> Trouble:
        worker = self._chance.choice(self._club.workers)
        if self._chance.random() < 0.5 and worker.kill_child():
            return Trouble(f"kill -9 of {worker.name}'s child")
        worker.kill()
        return Trouble(f"kill -9 of {worker.name}")

    def _kill_web(self) -> Trouble:
        self._club.web.kill()
        return Trouble("kill -9 of web")

    def _restart_redis(self) -> Trouble:
        self.redis_lost_at.append(monotonic())
        self._club.redis.stop()
        return Trouble("Redis is away", AWAY_S, self._club.redis.start)

    def _flush_redis(self) -> Trouble:
        self.redis_lost_at.append(monotonic())
        self._club.redis.flush()
        return Trouble("Redis is emptied")

    def _restart_postgres(self) -> Trouble:
        self.postgres_restarts += 1
        self._club.postgres.stop()
        return Trouble("PostgreSQL is away", AWAY_S, self._club.postgres.start)

    def _refuse(self) -> Trouble:
        return self._fault("Strava answers 429", "status", status=429)

    def _break_strava(self) -> Trouble:
        kind = self._chance.choice(KINDS)
        return self._fault(f"Strava is broken ({kind})", kind, seconds=0.5)

    def _fault(
        self, said: str, kind: FaultKind, *, status: int = 500, seconds: float = 0.0
    ) -> Trouble:
        world = self._club.stage.world
        with world.change():
            number = world.next_id("fault")
            world.faults.put(
                Fault(id=number, kind=kind, status=status, seconds=seconds)
            )

        def end() -> None:
            with world.change():
                world.faults.remove(number)

        return Trouble(said, WINDOW_S, end)

    def _close_post(self) -> Trouble:
        self._club.post.close()
        return Trouble("the mail server is away", MAIL_AWAY_S, self._club.post.open)

    def _bend_clock(self) -> Trouble:
        name = self._chance.choice(self._club.services).name
        by_s = self._chance.choice(WRONG_BY_S)
        clocks = self._club.clocks
        clocks.set_wrong(name, by_s)
        return Trouble(
            f"the clock of {name} jumps by {by_s:+d} s",
            WRONG_CLOCK_S,
            lambda: clocks.set_wrong(name, 0.0),
        )
