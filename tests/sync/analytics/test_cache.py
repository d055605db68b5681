"""What was computed is remembered for a while, and never longer than it holds."""

import pytest

from sync.analytics.dataset.cache import MAX_AGE_S, RunnerCache
from sync.database import Database, open_engine
from tests.support.recording_queue import RecordingQueue

ADA, BEN, EVE = ((number, "first", None) for number in (1, 2, 3))


@pytest.fixture
def db() -> Database:
    return Database(open_engine("sqlite://"), RecordingQueue())


def test_the_last_values_of_a_few_are_found(db: Database) -> None:
    kept = RunnerCache[str](max_entries=1)

    kept.put(db, ADA, "hers")
    kept.put(db, BEN, "his")

    assert (kept.get(db, ADA), kept.get(db, BEN)) == (None, "his")


def test_what_has_a_size_is_bounded_by_the_sum_of_sizes(db: Database) -> None:
    kept = RunnerCache[bytes](10, get_size=len)

    kept.put(db, ADA, b"123456")
    kept.put(db, BEN, b"1234")
    both = (kept.get(db, ADA), kept.get(db, BEN))
    kept.put(db, EVE, b"12345678901")  # larger than all together may be
    kept.put(db, BEN, b"1234567")

    assert both == (b"123456", b"1234")
    assert kept.get(db, EVE) is None
    assert (kept.get(db, ADA), kept.get(db, BEN)) == (None, b"1234567")


def test_what_was_used_longest_ago_makes_room(db: Database) -> None:
    kept = RunnerCache[str](max_entries=2)
    kept.put(db, ADA, "hers")
    kept.put(db, BEN, "his")
    kept.get(db, ADA)

    kept.put(db, EVE, "new")

    assert (kept.get(db, ADA), kept.get(db, BEN)) == ("hers", None)


def test_looking_at_one_runner_drops_what_is_too_old_of_others(db: Database) -> None:
    now_s = [0.0]
    kept = RunnerCache[str](clock=lambda: now_s[0])
    kept.put(db, ADA, "hers")
    now_s[0] = MAX_AGE_S

    kept.get(db, BEN)

    now_s[0] = 0
    assert kept.get(db, ADA) is None


def test_what_older_data_gave_is_forgotten(db: Database) -> None:
    kept = RunnerCache[str]()
    kept.put(db, ADA, "old")

    kept.put(db, (1, "second", None), "new")

    assert kept.get(db, ADA) is None


def test_nothing_outlives_an_hour_whoever_is_looked_at(db: Database) -> None:
    now_s = [0.0]
    kept = RunnerCache[list[str]](clock=lambda: now_s[0])
    of_a_deleted_runner = ["hers"]
    kept.put(db, ADA, of_a_deleted_runner)
    now_s[0] = MAX_AGE_S - 1
    before = kept.get(db, ADA)
    now_s[0] = MAX_AGE_S

    kept.put(db, BEN, ["his"])

    assert before is of_a_deleted_runner
    now_s[0] = 0
    assert kept.get(db, ADA) is None
