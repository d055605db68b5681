"""A copy of all tables, without the keys, tells nothing of what was answered.

Two runners do the same at the same times, but one always feels low.  Whoever holds the
copy tries what can be tried: lengths, counts, times, plain columns, and guessing what
the hashes in it were made of.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b, sha256
from typing import Any

import pytest
from sqlalchemy import LargeBinary, delete, select

from sync.analytics.figures import load_figures
from sync.analytics.sentences.store import load_decisions
from sync.models import Event, FigureDecision, Model, Run
from sync.portability import exports
from sync.runners import disconnect
from sync.runners import store as runners
from sync.runners.retained_runs import retained_source_id
from sync.runtime import Runtime
from sync.support.mail_contacts import select_mail_contacts
from sync.surveys.answering import pre_run, retained_runs
from sync.surveys.answering.answer import record_run_answer
from sync.vocabulary import RunSource
from tests.support.harness import Harness
from tests.support.run_history import add_answered_runs

pytestmark = pytest.mark.parametrize(
    "database_url", ["sqlite", "postgresql"], indirect=True
)

LOW, HIGH = 7, 8
N_RUNS = 6
LOW_VALUES = {"mood": -2, "before": -2, "stress": 4}
HIGH_VALUES = {"mood": 2, "before": 2, "stress": 0}
# What is random, counted through, or one person's own; their lengths must be alike.
RANDOM_COLUMNS = re.compile(
    r"(^|_)(id|hash|key)$|^(message_id|email|access_token|refresh_token|sealed)$"
)


@dataclass
class Copy:
    """The rows of each table, in the order of their keys."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def of(self, runner_id: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        for name, rows in self.rows.items():
            key = "id" if name == "runner" else "runner_id"
            yield name, [row for row in rows if row.get(key) == runner_id]

    def find_texts(self) -> Iterator[str]:
        """Yield every text and number, also those within JSON."""
        for rows in self.rows.values():
            for row in rows:
                yield from re.findall(r"[0-9a-z]+", str(list(row.values())).lower())


def take_copy(harness: Harness) -> Copy:
    copy = Copy()
    with harness.runtime.db.read_only() as session:
        for table in Model.metadata.sorted_tables:
            rows = session.execute(
                select(table).order_by(*table.primary_key)
            ).mappings()
            copy.rows[table.name] = [dict(row) for row in rows]
    return copy


@pytest.fixture
def runner_ids(harness: Harness) -> dict[int, int]:
    """Two runners with the same runs at the same times, and opposite answers."""
    athletes = {number: harness.add_athlete(number) for number in (LOW, HIGH)}
    ids = {number: harness.link_runner(athlete) for number, athlete in athletes.items()}
    harness.process_all_due()
    values = {LOW: LOW_VALUES, HIGH: HIGH_VALUES}
    for _ in range(N_RUNS):
        harness.advance_clock(days=1)
        for number in athletes:
            token = pre_run.create_token(harness.runtime, ids[number])
            pre_run.record_mood(
                harness.runtime, token=token, mood=values[number]["mood"]
            )
        harness.advance_clock(hours=1)
        run_ids = {
            number: harness.finish_run(
                athlete, distance_m=8000.0, moving_s=2400, ended_minutes_ago=1
            ).id
            for number, athlete in athletes.items()
        }
        for number, athlete in athletes.items():
            harness.deliver_event(athlete, run_ids[number], "create")
        harness.process_all_due()
        for number, runner_id in ids.items():
            with harness.runtime.db.read_only() as session:
                run_id = session.scalars(
                    select(Run.id).where(Run.source_id == run_ids[number])
                ).one()
            record_run_answer(
                harness.runtime,
                runner_id=runner_id,
                run_id=run_id,
                values=values[number],
            )
        for runner_id in ids.values():
            load_figures(harness.runtime, runner_id)
    for runner_id in ids.values():
        select_mail_contacts(harness.runtime, 10**6, runner_id)
        exports.request_export(harness.runtime, runner_id)
    exports.process_due(harness.runtime)
    return ids


def test_every_sealed_value_of_a_column_has_one_length(
    harness: Harness, runner_ids: dict[int, int]
) -> None:
    copy = take_copy(harness)

    lengths: dict[str, set[int]] = {}
    for table in Model.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, LargeBinary):
                values = [row[column.name] for row in copy.rows[table.name]]
                lengths[f"{table.name}.{column.name}"] = {
                    len(value) for value in values if value is not None
                }

    assert lengths["answer.sealed"]
    assert lengths["figure_decision.sealed"]
    assert lengths["export.sealed"]
    assert {name: sizes for name, sizes in lengths.items() if len(sizes) > 1} == {}


def test_who_feels_low_looks_like_who_feels_well(
    harness: Harness, runner_ids: dict[int, int]
) -> None:
    low_figures = load_figures(harness.runtime, runner_ids[LOW])
    high_figures = load_figures(harness.runtime, runner_ids[HIGH])
    assert low_figures.support
    assert not high_figures.support

    copy = take_copy(harness)

    high_rows = dict(copy.of(runner_ids[HIGH]))
    differences = []
    for name, low_rows in copy.of(runner_ids[LOW]):
        assert len(low_rows) == len(high_rows[name]), name
        for low, high in zip(low_rows, high_rows[name], strict=True):
            differences += [
                (name, column, low[column], high[column])
                for column in low
                if make_comparable(column, low[column])
                != make_comparable(column, high[column])
            ]
    assert differences == []


def make_comparable(column: str, value: Any) -> Any:
    """Return what two rows that say the same have in common."""
    if column == "reversed_order":
        return None  # by the runner's number alone
    if column == "dedupe_key":
        return re.sub("[0-9]+", "0", value)  # numbers of rows
    if column == "tags":
        return {key: make_comparable("key", tag) for key, tag in value.items()}
    if RANDOM_COLUMNS.search(column):
        if isinstance(value, bytes):
            return len(value)
        return re.sub("[0-9a-f]", "0", value) if isinstance(value, str) else type(value)
    return value


def test_an_age_of_rows_does_not_tell_what_was_decided(
    harness: Harness, runner_ids: dict[int, int]
) -> None:
    """A row that is written only when something is decided would be an oracle."""
    with harness.runtime.db.read_only() as session:
        rows = session.execute(
            select(FigureDecision.runner_id, FigureDecision.data_version)
        ).all()

    versions = {
        runner_id: {row.data_version for row in rows if row.runner_id == runner_id}
        for runner_id in runner_ids.values()
    }
    assert {len(found) for found in versions.values()} == {1}


def test_no_run_is_found_again_from_what_stays_of_it(
    harness: Harness, runner_ids: dict[int, int]
) -> None:
    with harness.runtime.db.read_only() as session:
        source_ids = set(session.scalars(select(Run.source_id)).all())
        kept_run_id = session.scalars(
            select(Run.id).where(Run.runner_id == runner_ids[LOW])
        ).first()
    retained_runs.set_retained_for_run(
        allow_retaining(harness), runner_ids[LOW], kept_run_id or 0, retain=True
    )
    for runner_id in runner_ids.values():
        disconnect.disconnect(harness.runtime, runner_id)
    with harness.runtime.db.transaction() as session:
        session.execute(delete(Event))

    copy = take_copy(harness)

    assert [row["source"] for row in copy.rows["run"]] == [RunSource.HAND]
    assert all(row["pairing_key"] for row in copy.rows["survey"])
    guesses = {
        guess: source_id
        for source_id in range(min(source_ids) - 500, max(source_ids) + 500)
        for guess in guess_traces(source_id)
    }
    assert source_ids <= set(guesses.values())
    recovered = {text for text in copy.find_texts() if text in guesses}
    assert recovered == set()


def allow_retaining(harness: Harness) -> Runtime:
    """Keep Strava's data for a while only: then a runner may keep a run of theirs."""
    settings = harness.runtime.settings.model_copy(update={"strava_retention_days": 90})
    return replace(harness.runtime, settings=settings)


def guess_traces(source_id: int) -> Iterator[str]:
    """Yield everything that somebody without a key can make of a run's number."""
    for source in ("strava", "export", "hand", ""):
        for text in (f"{source}:{source_id}", f"{source}{source_id}"):
            for digest in (
                sha256(text.encode()).hexdigest(),
                blake2b(text.encode(), digest_size=16).hexdigest(),
                blake2b(text.encode()).hexdigest(),
            ):
                yield digest
                yield digest[:32]
                yield str(retained_source_id(digest))
    yield str(source_id)
    yield sha256(sha256(f"strava:{source_id}".encode()).digest()).hexdigest()


def test_a_guess_of_all_answers_cannot_be_confirmed(harness: Harness) -> None:
    """The digest of the rows behind a sentence is nowhere in the copy."""
    runner_id = harness.link_runner(harness.add_athlete())
    moods = [(7 * day) % 5 - 2 for day in range(60)]
    add_answered_runs(harness.runtime, runner_id, moods, km=[5, 8, 12])
    load_figures(harness.runtime, runner_id)
    with harness.runtime.db.read_only() as session:
        vault = runners.open_vault(session, harness.runtime.sealer, runner_id)
        decisions = load_decisions(session, runner_id, vault)
    digests = {decision.digest for decision in decisions.values() if decision.digest}
    assert digests

    texts = set(take_copy(harness).find_texts())

    assert digests.isdisjoint(texts)
