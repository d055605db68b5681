"""Several who act at the same moment: two instances on one database, many browsers."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from threading import Barrier, Thread
from typing import Any, Self

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from typing_extensions import override
from werkzeug.test import TestResponse

from sync.database import Database, open_engine
from sync.errors import MoodmilesError
from sync.models import Run
from sync.runners import sign_in
from sync.runtime import Runtime
from sync.simulator.records import Activity, App, Athlete, Limits
from sync.strava.budget import Budget
from sync.strava.client import HttpStrava
from sync.vocabulary import SignInMethod
from tests.support.clock import ManualClock
from tests.support.harness import SCOPE, Harness
from tests.web.conftest import PageClient
from web.app import create_app

Act = Callable[[], object]
JOIN_TIMEOUT_S = 120
# Their address is the permission, and their forms know no other field.
PATHS_WITHOUT_TOKEN = ("/s/", "/u/", "/before/")


@dataclass(frozen=True)
class ActOutcome:
    """The end of one act: a status or a value, or the error that it raised."""

    result: object = None
    error: Exception | None = None

    @property
    def is_failure(self) -> bool:
        """Whether a visitor would have seen a 500, or a worker a traceback."""
        if self.error is not None:
            return not isinstance(self.error, MoodmilesError)
        return isinstance(self.result, int) and self.result >= 500

    @override
    def __str__(self) -> str:
        return repr(self.error) if self.error is not None else str(self.result)


@dataclass(frozen=True)
class Contest:
    """Acts that happen at once, and the rule that must hold behind them.

    `find_breaks` gets the outcomes in the order of the acts and returns one sentence
    for each rule that is broken.
    """

    acts: Sequence[Act]
    find_breaks: Callable[[Session, Sequence[ActOutcome]], list[str]]


@dataclass
class RaceTally:
    """What all repetitions of one race came to."""

    acts: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    breaks: Counter[str] = field(default_factory=Counter)

    def add(self, outcomes: Sequence[ActOutcome], breaks: Sequence[str]) -> None:
        self.acts += len(outcomes)
        self.failures.update(str(one) for one in outcomes if one.is_failure)
        self.breaks.update(breaks)


@dataclass(frozen=True)
class RacingBrowser:
    """A browser whose form token is fetched before the start."""

    client: FlaskClient
    csrf: str

    @classmethod
    def open(cls, app: Flask, runtime: Runtime, runner_id: int | None) -> Self:
        client = app.test_client()
        page = PageClient(client, runtime)
        if runner_id is not None:
            token = sign_in.sign_in(runtime, runner_id, method=SignInMethod.STRAVA)
            client.set_cookie("moodmiles", token, domain="127.0.0.1")
        return cls(client, page.get_csrf_token())

    def copy_cookies(self, app: Flask) -> "RacingBrowser":
        """Return the same browser's second tab."""
        client = app.test_client()
        for name in ("moodmiles", "moodmiles-browser"):
            cookie = self.client.get_cookie(name, domain="127.0.0.1")
            if cookie is not None:
                client.set_cookie(name, cookie.value, domain="127.0.0.1")
        return RacingBrowser(client, self.csrf)

    def post(self, path: str, **fields: object) -> int:
        return self.send(path, **fields).status_code

    def send(self, path: str, **fields: object) -> TestResponse:
        token = {} if path.startswith(PATHS_WITHOUT_TOKEN) else {"csrf": self.csrf}
        return self.client.post(path, data={**fields, **token})

    def get(self, path: str) -> int:
        return self.client.get(path).status_code


@dataclass(frozen=True)
class RaceStage:
    """Two instances as two processes would be, on the tables of one harness."""

    harness: Harness
    runtimes: Sequence[Runtime]
    apps: Sequence[Flask]
    athlete_ids: Iterator[int] = field(default_factory=lambda: count(1000))

    @classmethod
    @contextmanager
    def open(cls, harness: Harness) -> Iterator["RaceStage"]:
        with harness.world.transaction():
            # Tokens that last: a lost refresh is a race of its own.
            harness.world.put_singleton(
                App(
                    client_id="1",
                    client_secret="simulated",
                    athlete_limit=10_000,
                    token_s=10_000_000,
                )
            )
            harness.world.put_singleton(
                Limits(quarter=10**6, day=10**6, read_quarter=10**6, read_day=10**6)
            )
        folder = harness.runtime.settings.data_dir / "mailbox"
        settings = harness.runtime.settings.model_copy(update={"mailbox_dir": folder})
        runtimes = [
            replace(
                harness.runtime,
                settings=settings,
                db=Database(
                    open_engine(settings.sql_url), harness.queue, clock=harness.clock
                ),
                strava=HttpStrava(settings, budget=Budget("", clock=harness.clock)),
            )
            for _ in range(2)
        ]
        yield cls(harness, runtimes, [create_app(runtime) for runtime in runtimes])
        for runtime in runtimes:
            runtime.db.close()

    @property
    def runtime(self) -> Runtime:
        return self.runtimes[0]

    def add_athlete(self) -> Athlete:
        return self.harness.add_athlete(next(self.athlete_ids))

    def add_runner(self, athlete: Athlete | None = None, **how: Any) -> int:
        """Link a runner whose past is imported; they have an address."""
        runner_id = self.harness.link_runner(
            athlete or self.add_athlete(), **{"scope": SCOPE, **how}
        )
        self.harness.process_all_due()
        return runner_id

    def add_run(self, athlete: Athlete, **fields: Any) -> tuple[Activity, int]:
        """Let a linked athlete finish a run; return it and our row's number."""
        activity = self.harness.finish_run(
            athlete, **{"ended_minutes_ago": 20, **fields}
        )
        self.harness.deliver_event(athlete, activity.id, "create")
        self.harness.process_all_due()
        with self.runtime.db.read_only() as session:
            row_id = session.scalars(
                select(Run.id).where(Run.source_id == activity.id)
            ).one()
        return activity, row_id

    def open_browsers(
        self, n: int, runner_id: int | None = None
    ) -> list[RacingBrowser]:
        """Open browsers in turn at both instances."""
        return [
            RacingBrowser.open(
                self.apps[number % 2], self.runtimes[number % 2], runner_id
            )
            for number in range(n)
        ]

    def open_tabs(self, n: int, runner_id: int | None = None) -> list[RacingBrowser]:
        """Open one browser several times, in turn at both instances."""
        first = self.open_browsers(1, runner_id)[0]
        return [first.copy_cookies(self.apps[number % 2]) for number in range(n)]

    def runtime_at(self, runtime: Runtime, clock: ManualClock) -> Runtime:
        """Return this runtime with a clock of its own, on the same connections."""
        db = Database(runtime.db.engine, self.harness.queue, clock=clock)
        return replace(runtime, db=db, now=clock)

    def now(self) -> datetime:
        return self.harness.clock()


def run_at_once(acts: Sequence[Act]) -> list[ActOutcome]:
    """Start every act in a thread of its own at the same moment, and wait for all."""
    barrier = Barrier(len(acts))
    outcomes: list[ActOutcome | None] = [None] * len(acts)

    def run(index: int) -> None:
        barrier.wait()
        try:
            outcomes[index] = ActOutcome(acts[index]())
        except Exception as error:  # noqa: BLE001 - it is what the test asks about
            outcomes[index] = ActOutcome(error=error)

    threads = [Thread(target=run, args=(index,)) for index in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(JOIN_TIMEOUT_S)
    return [one or ActOutcome(error=TimeoutError("it hangs")) for one in outcomes]
