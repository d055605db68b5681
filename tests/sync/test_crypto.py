"""What is sealed has one length, one place, and a version; each use has its key."""

import json
from collections.abc import Mapping
from datetime import date
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import LargeBinary

from sync.bounds import RETAINED_FACTS_BYTES
from sync.crypto import (
    SEALED_BYTES,
    KeyLost,
    Sealer,
    UnknownSealVersion,
    Vault,
    VaultSecrets,
    encode_values,
)
from sync.models import Model
from sync.portability.schema import MAX_ANSWER_BYTES
from sync.runners.retained_runs import RetainedFacts
from sync.surveys.instruments import Question, load_library
from sync.vocabulary import KeyUse, SealedColumn
from tests.conftest import KEY
from tests.support.paths import ROOT

SEALER = Sealer([KEY])
VAULT = Vault(VaultSecrets.create())
LIBRARY = load_library()
HOST_COLUMNS = (
    SealedColumn.ADDRESS,
    SealedColumn.LINK_ADDRESS,
    SealedColumn.STRAVA_ACCESS,
    SealedColumn.STRAVA_REFRESH,
    SealedColumn.MAIL,
)
RETAINED = RetainedFacts(1_000_000, 10**6, date(2199, 12, 31), -86_400)

# A host's own file: what the values are must not show, nor which were given.
OWN_QUESTIONS = """
id = "long-1"
kind = "focus"
title = "Many questions with long names"
""" + "\n".join(
    f"""
[[questions]]
key = "a_question_with_a_long_name_{number:02}"
text = "How much of it was there?"
choices = {{ 0 = "None", {10**number} = "Much", -999999 = "Less than none" }}
"""
    for number in range(20)
)


def draw_answers(
    library_questions: Mapping[str, Question],
) -> st.SearchStrategy[dict[str, int]]:
    optional = {
        key: st.sampled_from(sorted(question.choices))
        for key, question in library_questions.items()
    }
    return st.fixed_dictionaries({"mood": optional.pop("mood")}, optional=optional)


def test_every_column_of_bytes_says_how_long_its_values_are() -> None:
    columns = {
        f"{table.name}.{column.name}"
        for table in Model.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }

    assert columns == set(SealedColumn)
    assert set(SEALED_BYTES) == set(SealedColumn)


def test_every_answer_to_every_question_has_one_length() -> None:
    lengths = set()
    for instrument in LIBRARY.instruments.values():
        for question in instrument.questions:
            lengths |= {
                len(VAULT.seal({question.key: value}, min_bytes=LIBRARY.answer_bytes))
                for value in question.choices
            }
    moods, stress, before = (
        LIBRARY.questions[key].choices for key in ("mood", "stress", "before")
    )
    for values in product(moods, (None, *stress), (None, *before)):
        given_values = {
            key: value
            for key, value in zip(("mood", "stress", "before"), values, strict=True)
            if value is not None
        }
        lengths.add(len(VAULT.seal(given_values)))

    assert lengths == {SEALED_BYTES[SealedColumn.ANSWER]}


@given(values=draw_answers(LIBRARY.questions), is_retained=st.booleans())
def test_answers_of_any_combination_have_one_length(
    values: dict[str, int], is_retained: bool
) -> None:
    values |= RETAINED.to_answer_values() if is_retained else {}

    sealed = VAULT.seal(values, min_bytes=LIBRARY.answer_bytes)

    assert len(sealed) == SEALED_BYTES[SealedColumn.ANSWER]
    assert VAULT.open(sealed) == values


@given(data=st.data())
def test_answers_to_a_hosts_own_questions_have_one_length(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    library = load_library(write_own_questions(tmp_path_factory))
    values = data.draw(draw_answers(library.questions))
    is_retained = data.draw(st.booleans())
    values |= RETAINED.to_answer_values() if is_retained else {}

    sealed = VAULT.seal(values, min_bytes=library.answer_bytes)

    assert library.answer_bytes > SEALED_BYTES[SealedColumn.ANSWER]
    assert len(sealed) == library.answer_bytes


def write_own_questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.getbasetemp() / "own-questions"
    (folder / "instruments").mkdir(parents=True, exist_ok=True)
    (folder / "instruments" / "long.toml").write_text(OWN_QUESTIONS)
    return folder


def test_what_is_kept_of_a_run_has_its_room_in_an_answer() -> None:
    widest = encode_values(RETAINED.to_answer_values())
    assert len(widest) <= RETAINED_FACTS_BYTES


@given(
    values=st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9_]{0,29}", fullmatch=True),
        st.integers(-(10**7), 10**7),
        max_size=60,
    )
)
def test_imported_answers_to_unknown_questions_have_one_length(
    values: dict[str, int],
) -> None:
    sealed = VAULT.seal(values, min_bytes=MAX_ANSWER_BYTES)

    assert len(sealed) == MAX_ANSWER_BYTES


@pytest.mark.parametrize(
    ("column", "max_bytes"),
    [
        (SealedColumn.ADDRESS, 254),
        (SealedColumn.LINK_ADDRESS, 254),
        (SealedColumn.STRAVA_ACCESS, 400),
        (SealedColumn.STRAVA_REFRESH, 400),
        (SealedColumn.MAIL, 4000),
    ],
)
@given(data=st.data())
def test_every_text_of_a_column_has_one_length(
    column: SealedColumn, max_bytes: int, data: st.DataObject
) -> None:
    text = data.draw(st.text(max_size=max_bytes // 4))

    sealed = SEALER.seal(text, column)

    assert len(sealed) == SEALED_BYTES[column]
    assert SEALER.open(sealed, column) == text
    assert len(SEALER.seal("x" * max_bytes, column)) == SEALED_BYTES[column]


def test_a_runners_secrets_have_one_length_before_and_after_a_change_of_keys() -> None:
    fresh = VaultSecrets.create()
    used = VaultSecrets(
        **{
            **{name: getattr(fresh, name) for name in ("answers", "pairing", "links")},
            "former_stops": ["0" * 32] * 5,
            "former_answers": fresh.answers,
        }
    )

    lengths = {len(SEALER.seal_vault(secrets)) for secrets in (fresh, used)}

    assert lengths == {SEALED_BYTES[SealedColumn.VAULT_KEY]}
    assert SEALER.open_vault_secrets(SEALER.seal_vault(fresh)) == fresh


@given(plain=st.binary(max_size=600))
def test_bytes_come_back_as_they_were(plain: bytes) -> None:
    for ending in (b"", b"\0", b"\x80", b"\x80\0", b"\0\x80\0\0"):
        sealed = VAULT.seal_bytes(plain + ending, SealedColumn.ANSWER)

        assert VAULT.open_bytes(sealed, SealedColumn.ANSWER) == plain + ending


def test_a_file_says_of_its_length_a_power_of_two_alone() -> None:
    block = SEALED_BYTES[SealedColumn.EXPORT]
    sizes = [0, 1, block, 3 * block, 5 * block, 9 * block]

    lengths = [len(VAULT.seal_bytes(bytes(n), SealedColumn.EXPORT)) for n in sizes]

    assert lengths == [block, block, 2 * block, 4 * block, 8 * block, 16 * block]


def test_equal_values_look_unlike() -> None:
    assert VAULT.seal({"mood": 1}) != VAULT.seal({"mood": 1})
    address = "a@example.org"
    first, second = (SEALER.seal(address, SealedColumn.ADDRESS) for _ in range(2))
    assert first != second


@pytest.mark.parametrize("column", HOST_COLUMNS)
def test_a_value_opens_in_its_own_column_alone(column: SealedColumn) -> None:
    sealed = SEALER.seal("secret", column)

    for other in set(SealedColumn) - {column}:
        with pytest.raises(KeyLost):
            SEALER.open(sealed, other)


def test_a_sentence_is_no_answer_and_no_answer_is_another_runners() -> None:
    sealed = VAULT.seal({"mood": 1}, SealedColumn.FIGURE_DECISION)
    with pytest.raises(KeyLost):
        VAULT.open(sealed)
    with pytest.raises(KeyLost):
        Vault(VaultSecrets.create()).open(VAULT.seal({"mood": 1}))


@pytest.mark.parametrize("version", [0, 2, ord("g"), 255])
def test_an_unknown_version_is_said_plainly(version: int) -> None:
    sealed = VAULT.seal({"mood": 1})
    other = bytes([version]) + sealed[1:]
    with pytest.raises(UnknownSealVersion, match="moodmiles db upgrade"):
        VAULT.open_all([sealed, other])
    host_sealed = SEALER.seal("secret", SealedColumn.MAIL)
    with pytest.raises(KeyLost, match="moodmiles db upgrade"):
        SEALER.open(bytes([version]) + host_sealed[1:], SealedColumn.MAIL)


@pytest.mark.parametrize("place", [0, 1, 12, 13, 100, -1])
def test_a_changed_byte_opens_nothing(place: int) -> None:
    sealed = bytearray(VAULT.seal({"mood": 1}))
    sealed[place] ^= 1

    with pytest.raises(KeyLost):
        VAULT.open(bytes(sealed))


def test_each_use_of_the_hosts_key_has_a_key_of_its_own() -> None:
    signatures = {use: SEALER.signatures(use, "the same text")[0] for use in KeyUse}
    address_hash = SEALER.lookup_hashes("the same text")[0]

    assert len(set(signatures.values())) == len(KeyUse)
    others = [
        value for use, value in signatures.items() if use != KeyUse.ADDRESS_LOOKUP
    ]
    assert not any(address_hash.startswith(value) for value in others)


def test_each_use_of_a_runners_secrets_has_a_secret_of_its_own() -> None:
    secrets = VaultSecrets.create()
    assert len({secrets.answers, secrets.pairing, secrets.links}) == 3

    other_links = Vault(
        VaultSecrets(secrets.answers, secrets.pairing, VaultSecrets.create().links)
    )
    vault = Vault(secrets)

    assert other_links.pairing_key("strava", 1) == vault.pairing_key("strava", 1)
    assert json.loads(encode_values(other_links.open(vault.seal({"mood": 1}))))


def test_the_security_document_lists_every_key_and_every_sealed_column() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    keys = text.partition("\n## Keys\n")[2].partition("\n## ")[0]

    assert [use for use in KeyUse if f"`{use}`" not in keys] == []
    assert [column for column in SealedColumn if f"`{column}`" not in keys] == []
    for column, size in SEALED_BYTES.items():
        assert f"| `{column}` | {size:,} |" in keys
