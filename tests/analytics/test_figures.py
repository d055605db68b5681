"""A runner's figures follow every change of runs and answers, and no visit."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, update

from sync.analytics import figures_for
from sync.analytics.panel import TOO_EARLY
from sync.crypto import Sealer
from sync.database import Database, connect
from sync.models import Answer, FigureDecision, Run, Runner
from sync.runners.store import changed
from sync.runtime import Runtime
from sync.settings import Settings
from sync.strava.client import HttpStrava
from tests.clock import HandClock
from tests.conftest import emptied
from tests.queues import RecordingQueue

FIRST = datetime(2026, 1, 5, 7, tzinfo=UTC)


class Book:
    """One runner's runs and answers, written straight into the tables."""

    def __init__(self, runtime: Runtime, clock: HandClock) -> None:
        self.runtime, self.clock = runtime, clock
        with runtime.db.transaction() as session:
            runner = Runner(
                created_at=FIRST,
                vault_key=runtime.sealer.new_vault_key(),
                zone="Europe/Berlin",
                preferences={},
            )
            session.add(runner)
            session.flush()
            self.runner_id = runner.id
            self.vault = runtime.sealer.vault(runner.vault_key)

    def run(self, number: int, km: float, mood: int | None, **more: Any) -> None:
        started_at = FIRST + timedelta(days=number)
        facts: dict[str, Any] = {
            "sport": "Run",
            "start_known": True,
            "race": False,
            "treadmill": False,
            "with_others": False,
            "said": {},
        } | more
        said = facts.pop("said")
        with self.runtime.db.transaction() as session:
            session.add(
                Run(
                    id=number,
                    runner_id=self.runner_id,
                    source="strava",
                    source_id=number,
                    started_at=started_at,
                    offset_s=3600,
                    local_day=started_at.date(),
                    distance_m=1000 * km,
                    moving_s=int(360 * km),
                    elapsed_s=int(370 * km),
                    manual=False,
                    visibility="everyone",
                    fetched_at=started_at,
                    **facts,
                )
            )
            session.flush()
            if mood is not None:
                at = started_at + timedelta(seconds=370 * km, minutes=30)
                self._answer(session, at, {"mood": mood} | said, run_id=number)
            changed(session, self.runner_id)

    def check_in(self, number: int, mood: int) -> None:
        with self.runtime.db.transaction() as session:
            at = FIRST + timedelta(days=number, hours=5)
            self._answer(session, at, {"mood": mood, "stress": 2}, kind="checkin")
            changed(session, self.runner_id)

    def _answer(
        self, session: Any, at: datetime, said: dict[str, int], **more: Any
    ) -> None:
        facts = {"kind": "run", "run_id": None} | more
        session.add(
            Answer(
                runner_id=self.runner_id,
                instrument="run-1",
                reversed_order=False,
                answered_at=at,
                tags={},
                sealed=self.vault.seal(said),
                **facts,
            )
        )

    def edit(self, number: int, **values: Any) -> None:
        with self.runtime.db.transaction() as session:
            session.execute(update(Run).where(Run.id == number).values(**values))
            changed(session, self.runner_id)

    def linked_runs(self, many: int) -> None:
        """Write runs whose mood follows their distance, all but perfectly."""
        random = np.random.default_rng(1)
        for number in range(1, many + 1):
            km = float(random.uniform(4, 24))
            self.run(number, km, int(np.clip((km - 14) / 4 + random.normal(), -2, 2)))


@pytest.fixture(params=["sqlite", "postgresql"])
def book(request: pytest.FixtureRequest, clock: HandClock) -> Iterator[Book]:
    if request.param == "sqlite":
        url = request.getfixturevalue("database_url")
    else:
        url = emptied(request.getfixturevalue("postgres_url"))
    db = Database(connect(url), RecordingQueue(), clock=clock)
    clock.at = datetime(2026, 6, 1, 12, tzinfo=UTC)
    settings = Settings.model_construct(strava_api_url="http://127.0.0.1:1")
    sealer = Sealer(["a key for tests that is long enough"])
    runtime = Runtime(
        settings, db, RecordingQueue(), HttpStrava(settings), sealer, clock
    )
    yield Book(runtime, clock)
    db.close()


def test_a_new_runner_has_figures_without_anything_in_them(book: Book) -> None:
    found = figures_for(book.runtime, book.runner_id)

    assert [panel.verdict for panel in found.headline] == [TOO_EARLY] * 3
    assert found.mileage.sentence == "Not enough yet: 0 of 15 runs."
    assert (found.answered, found.support, found.notice) == (0, None, None)


def test_a_link_is_told_at_thirty_answers_and_stands(book: Book) -> None:
    book.linked_runs(29)
    before = figures_for(book.runtime, book.runner_id).mileage
    book.run(30, 24, 2)
    at_thirty = figures_for(book.runtime, book.runner_id).mileage
    book.run(31, 4, 2)
    later = figures_for(book.runtime, book.runner_id).mileage

    assert before.verdict == TOO_EARLY
    assert at_thirty.sentence.startswith("In your first 30 answers, mood after longer")
    assert later.sentence == at_thirty.sentence
    assert later.answers == 31


def test_an_edited_run_changes_the_dots_and_decides_the_sentence_again(
    book: Book,
) -> None:
    book.linked_runs(30)
    first = figures_for(book.runtime, book.runner_id)
    book.edit(3, distance_m=5000.0)

    again = figures_for(book.runtime, book.runner_id)

    assert 5.0 in again.dots_by_run.x
    assert again.mileage.decided is not None
    assert first.mileage.decided is not None
    assert again.mileage.decided.decided_at == first.mileage.decided.decided_at
    assert again.mileage.notes[0].startswith("Decided again on 1 June 2026")


def test_a_hidden_run_leaves_every_figure(book: Book) -> None:
    book.linked_runs(30)
    figures_for(book.runtime, book.runner_id)
    book.edit(3, hidden_at=book.clock())

    found = figures_for(book.runtime, book.runner_id)

    assert found.mileage.verdict == "withdrawn"
    assert len(found.dots.x) == 29
    assert found.distance_weeks.count.sum() == 29


def test_nothing_is_computed_twice_while_nothing_changes(book: Book) -> None:
    book.linked_runs(5)

    first = figures_for(book.runtime, book.runner_id)
    second = figures_for(book.runtime, book.runner_id)
    book.run(6, 8, 1)
    third = figures_for(book.runtime, book.runner_id)

    assert second is first
    assert third.data_version == first.data_version + 1


def test_decided_sentences_are_sealed_at_rest(book: Book) -> None:
    book.linked_runs(30)

    figures_for(book.runtime, book.runner_id)

    with book.runtime.db.reading() as session:
        kept = session.scalars(select(FigureDecision)).all()
    assert "mileage" in {row.panel for row in kept}
    assert not any(b"mileage" in row.sealed for row in kept)


def test_the_unit_changes_words_and_never_what_was_found(book: Book) -> None:
    book.linked_runs(40)
    in_km = figures_for(book.runtime, book.runner_id)
    with book.runtime.db.transaction() as session:
        session.execute(update(Runner).values(preferences={"units": "mi"}))
        changed(session, book.runner_id)

    in_miles = figures_for(book.runtime, book.runner_id)

    assert in_miles.unit == "mi"
    assert in_miles.mileage.link == in_km.mileage.link
    assert in_miles.mileage.sentence == in_km.mileage.sentence


def test_a_check_in_after_a_run_of_that_day_is_no_rest_day(book: Book) -> None:
    book.run(1, 8, 1)
    book.check_in(1, 2)
    book.check_in(2, -1)

    found = figures_for(book.runtime, book.runner_id)

    assert (found.usual.n, found.usual.mean) == (1, -1.0)


def test_local_facts_arrive_as_the_runner_lived_them(book: Book) -> None:
    book.run(1, 10, 1, treadmill=True)
    book.run(2, 10, 2, sport="TrailRun", said={"before": 0, "company": 1})
    book.run(3, 10, None, start_known=False)

    found = figures_for(book.runtime, book.runner_id)

    weeks = found.distance_weeks
    assert date.fromordinal(int(weeks.start_day[0])) == date(2026, 1, 5)
    assert weeks.total[0] == 30_000
    assert found.dots.x.tolist() == [10, 20]
    assert (found.remembered.n, found.remembered.mean) == (1, 2.0)


def test_mostly_low_answers_open_the_support_lines(book: Book) -> None:
    for number in range(130, 146, 3):
        book.run(number, 8, -1)

    found = figures_for(book.runtime, book.runner_id)

    assert found.support is not None
    assert found.support.startswith("Your last answers were mostly low.")


def test_four_week_blocks_end_today(book: Book) -> None:
    book.run(1, 8, 1)
    book.run(140, 12, 2, said={"energy": 4})
    book.check_in(141, 1)

    found = figures_for(book.runtime, book.runner_id)

    assert found.blocks.distance_m.sum() == 20_000
    assert found.blocks.distance_m[-1] == 12_000
    assert found.blocks.mood[-1] == 1
    assert np.isnan(found.blocks.spread).all()
    assert len(found.highs) == 1
