"""A stolen copy of the tables opens nothing and tells no mood."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select

from sync.models import Answer, Connection, Runner
from sync.runners import connect
from sync.runtime import Runtime
from sync.settings import Settings
from sync.surveys.answering import answer
from sync.vocabulary import SealedColumn
from tests.conftest import KEY
from tests.support.harness import ALL_CONSENTS, Harness
from tests.support.two_runners import ADDRESS, add_full_runner, collect_ids

TOKENS = ("survey token", "confirm token", "sign-in link", "sign-in")


def read_database_bytes(settings: Settings) -> bytes:
    """Return every byte of the tables and of the log beside them."""
    tables = Path(settings.database_url.removeprefix("sqlite:///"))
    files = tables.parent.glob(f"{tables.name}*")
    return b"".join(path.read_bytes() for path in files)


def read_strava_tokens(runtime: Runtime) -> list[str]:
    with runtime.db.read_only() as session:
        [link] = session.scalars(select(Connection))
    return [
        runtime.sealer.open(link.access_token, SealedColumn.STRAVA_ACCESS),
        runtime.sealer.open(link.refresh_token, SealedColumn.STRAVA_REFRESH),
    ]


def test_no_secret_lies_in_the_tables_as_it_is(harness: Harness) -> None:
    runtime = harness.runtime
    ada = add_full_runner(harness)
    ids = collect_ids(runtime, ada, harness)
    answer.record_answer(
        runtime, token=ids["survey token"], values={"mood": 2, "stress": 1}
    )
    visit = connect.begin_link(
        runtime, browser="a browser's name", given_consents=ALL_CONSENTS
    )
    [state] = parse_qs(urlsplit(visit).query)["state"]
    secrets = [
        *(ids[name] for name in TOKENS),
        *read_strava_tokens(runtime),
        state,
        "a browser's name",
        ADDRESS,
        KEY,
        '"mood":',
        '"stress":',
    ]

    copied = read_database_bytes(runtime.settings)

    assert b"CREATE TABLE runner" in copied
    assert [one for one in secrets if one.encode() in copied] == []
    with runtime.db.read_only() as session:
        assert session.scalars(select(Answer.id)).all()
        assert session.get_one(Runner, ada).email_confirmed_at
