"""What was computed is remembered for a while, and never longer than it holds."""

import pytest

from sync.analytics.dataset.cache import LONGEST_S, Kept
from sync.database import Database, connect
from tests.support.recording_queue import RecordingQueue

ADA, BEN = (1, "first", None), (2, "first", None)


@pytest.fixture
def db() -> Database:
    return Database(connect("sqlite://"), RecordingQueue())


def test_the_last_values_of_a_few_are_found(db: Database) -> None:
    kept = Kept[str](most=1)

    kept.keep(db, ADA, "hers")
    kept.keep(db, BEN, "his")

    assert (kept.find(db, ADA), kept.find(db, BEN)) == (None, "his")


def test_what_older_data_gave_is_forgotten(db: Database) -> None:
    kept = Kept[str]()
    kept.keep(db, ADA, "old")

    kept.keep(db, (1, "second", None), "new")

    assert kept.find(db, ADA) is None


def test_nothing_outlives_an_hour_whoever_is_looked_at(db: Database) -> None:
    now_s = [0.0]
    kept = Kept[list[str]](clock=lambda: now_s[0])
    of_a_deleted_runner = ["hers"]
    kept.keep(db, ADA, of_a_deleted_runner)
    now_s[0] = LONGEST_S - 1
    before = kept.find(db, ADA)
    now_s[0] = LONGEST_S

    kept.keep(db, BEN, ["his"])

    assert before is of_a_deleted_runner
    now_s[0] = 0
    assert kept.find(db, ADA) is None
