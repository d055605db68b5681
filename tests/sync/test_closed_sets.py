"""A column of a closed set takes and gives its members, and nothing else."""

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import StatementError

from sync.models import Consent, Model
from sync.models.base import EnumText
from sync.vocabulary import (
    ConsentKind,
    Mood,
    UnknownWord,
    is_unknown,
    require_known,
)
from tests.support.clock import NOON
from tests.support.harness import Harness


@pytest.fixture
def consented_harness(harness: Harness) -> Harness:
    harness.link_runner(harness.add_athlete())
    return harness


def test_members_come_back_as_members(consented_harness: Harness) -> None:
    with consented_harness.runtime.db.read_only() as session:
        kinds = session.scalars(select(Consent.kind)).all()
        stored = session.execute(text("SELECT kind FROM consent")).scalars().all()

    assert kinds
    assert all(isinstance(kind, ConsentKind) for kind in kinds)
    assert sorted(stored) == sorted(kind.value for kind in kinds)


def test_another_word_is_not_stored(consented_harness: Harness) -> None:
    with consented_harness.runtime.db.read_only() as session:
        consent = session.scalars(select(Consent)).first()
        assert consent is not None
        runner_id = consent.runner_id

    with (
        pytest.raises(StatementError, match="'sauna' is no ConsentKind"),
        consented_harness.runtime.db.transaction() as session,
    ):
        session.execute(
            select(Consent).where(
                Consent.runner_id == runner_id, Consent.kind == "sauna"
            )
        )


def test_another_word_in_the_table_is_read_and_written_back(
    consented_harness: Harness,
) -> None:
    with consented_harness.runtime.db.transaction() as session:
        session.execute(text("UPDATE consent SET kind = 'sauna'"))

    with consented_harness.runtime.db.transaction() as session:
        kinds = session.scalars(select(Consent.kind)).all()
        session.execute(
            insert(Consent),
            [
                {"runner_id": 1, "kind": kinds[0], "version": "", "given_at": NOON},
            ],
        )
        stored = session.execute(text("SELECT DISTINCT kind FROM consent")).scalars()

        assert stored.all() == ["sauna"]
    assert {type(kind) for kind in kinds} == {ConsentKind}
    assert all(is_unknown(kind) for kind in kinds)
    assert not {*kinds} & {*ConsentKind}
    with pytest.raises(UnknownWord, match="no ConsentKind"):
        require_known(kinds[0])
    for kind in ConsentKind:
        require_known(kind)


def test_every_closed_set_is_kept_as_plain_text() -> None:
    columns = [
        column
        for table in Model.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, EnumText)
    ]

    assert len(columns) > 15
    assert {str(column.type) for column in columns} == {"VARCHAR"}


def test_a_mood_and_its_tile_name_each_other() -> None:
    assert [mood.tile for mood in Mood] == [1, 2, 3, 4, 5]
    assert [Mood.from_tile(tile) for tile in range(1, 6)] == list(Mood)
    with pytest.raises(ValueError, match="6"):
        Mood.from_tile(9)
