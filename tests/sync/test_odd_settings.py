"""A setting is obeyed, or refused in one sentence that names it; never passed over."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sync import settings
from sync.errors import NotConfigured
from sync.settings import PREFIX, Settings
from tests.support.paths import ROOT

ODD_VALUES = [
    *("0", "-1", "1", "2", "65535", "65536", "999999999999999999999", "1.5", "1e3"),
    *("nan", "inf", "None", "null", "true", "off", "1 d", "5m", "0x10", "\u0661"),
    *("x", "a,b", "a;b", "127.0.0.1,::1", "::1", "[::1]", "10.0.0.7:443", "*", "/"),
    *("'x'", '"x"', "`x`", '["x"]', "x\ty", "x\ny", "\x1b[31m", "ä", "\u202e", "🏃"),
    *("http://h", "https://h.example/moods", "https://h.example:443", "https://h?a=b"),
    *("postgres://u:p@h/x", "mysql://u:p@h/x", "sqlite:///x", "redis://h", "redis:"),
    *("unix:///r.sock", "smtp://h", "smtp://u:p@ss/w#rd@h", "tcp://10.0.0.7:8000"),
    *("a@b.example", "a@b.example, c@d.example", "A, B <a@b.example>", "<a@b>", "@"),
    *("~", "~nobody-here/x", "a" * 300, "a/" * 3000, "text", "JSON", "Enforce"),
    *("transaction", "statement", "{}", "${x}", "$x", "%", "\udcff", "x" * 10_000),
]
LISTS = {"secret_keys", "trusted_proxies"}
URLS = {"public_url", "strava_site_url", "strava_api_url", "database_url", "redis_url"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(Settings.model_config, "env_file", ".env")
    return tmp_path


def refuse(environ: dict[str, str] | None = None) -> str:
    with pytest.raises(NotConfigured) as refused:
        settings.load(os.environ if environ is None else environ)
    sentence = str(refused.value)
    assert sentence.isprintable()
    return sentence


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_odd_value_is_obeyed_or_refused(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{PREFIX}{field.upper()}"
    for value in ODD_VALUES:
        monkeypatch.setenv(name, value)
        try:
            read = settings.load()
            read.require_safe()
        except NotConfigured as error:
            sentence = str(error)
            is_about_another = field == "public_url" and "CONTACT" in sentence
            assert sentence.startswith(name) or is_about_another, value
            assert sentence.isprintable(), value
            assert sentence.rstrip(".").count(". ") <= 1, value
            assert "Input should" not in sentence, value
            continue
        if field == "port" and value.startswith("tcp://"):
            assert field not in read.model_fields_set  # Kubernetes' own
            continue
        assert field in read.model_fields_set, value
        assert is_obeyed(field, value, getattr(read, field)), (value, read)


def is_obeyed(field: str, given: str, read: Any) -> bool:
    """Whether what was read means what was given."""
    if hasattr(read, "get_secret_value"):
        return bool(read.get_secret_value() == given)
    if field in LISTS:
        return len(read) == len(given.replace(",", " ").split()) or field != (
            "trusted_proxies"
        )
    if field in URLS:
        return str(read).partition("://")[2][:1] == given.partition("://")[2][:1]
    if isinstance(read, int):
        return read == int(float(given))
    if isinstance(read, Path):
        return read == Path(given).expanduser()
    return str(read).lower() in {given.lower(), given.strip("[]").lower()}


@pytest.mark.parametrize("field", Settings.model_fields)
@pytest.mark.parametrize("empty", ["", " ", "\t"])
def test_an_empty_value_is_one_that_is_not_set(
    field: str, empty: str, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    """Compose files and the environment give it; what stands in the file yields."""
    monkeypatch.setenv(f"{PREFIX}{field.upper()}", empty)
    (folder / ".env").write_text(f"{PREFIX}{field.upper()}=nothing-of-this-kind://\n")

    read = settings.load()

    assert field not in read.model_fields_set
    assert read == Settings.model_validate({})


@pytest.mark.parametrize("field", sorted(Settings.model_fields.keys()))
def test_quotes_are_taken_off_or_refused(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`docker run --env-file` leaves them where they stand."""
    for quote in "'\"`":
        monkeypatch.setenv(f"{PREFIX}{field.upper()}", f"{quote}7{quote}")
        if field == "redis_password":  # which its server has been given, too
            password = settings.load().redis_password
            assert password is not None
            assert password.get_secret_value() == f"{quote}7{quote}"
        else:
            assert "is in quotes" in refuse()


def test_a_quoted_part_of_a_list_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOODMILES_SECRET_KEYS", '"first","second"')
    assert "SECRET_KEYS: is in quotes" in refuse()
    monkeypatch.setenv("MOODMILES_SECRET_KEYS", '["first","second"]')
    assert "with commas between" in refuse()


@pytest.mark.parametrize(
    ("value", "networks"),
    [
        ("10.0.0.7", ["10.0.0.7/32"]),
        (" 10.0.0.7 , 172.17.0.1/16,", ["10.0.0.7/32", "172.17.0.0/16"]),
        ("10.0.0.7 10.0.0.8", ["10.0.0.7/32", "10.0.0.8/32"]),
        ("[::1],2001:db8::/32", ["::1/128", "2001:db8::/32"]),
    ],
)
def test_several_proxies_are_read(
    value: str, networks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOODMILES_TRUSTED_PROXIES", value)

    assert list(map(str, settings.load().trusted_proxies)) == networks


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOST", "127.0.0.1,::1"),
        ("HOST", "127.0.0.1 ::1"),
        ("HOST", "127.0.0.1:8000"),
        ("HOST", "http://127.0.0.1"),
        ("TRUSTED_PROXIES", "10.0.0.7:443"),
        ("TRUSTED_PROXIES", "proxy.example.org"),
        ("CONTACT", "a@b.example,c@d.example"),
        ("CONTACT", "https://"),
        ("CONTACT", "https://b.example\nCanonical: https://c.example"),
        ("PUBLIC_URL", "https://a.example,https://b.example"),
        ("PORT", "8000,8001"),
        ("STRAVA_RETENTION_DAYS", "7 days"),
    ],
)
def test_what_takes_one_value_refuses_several(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}{name}", value)

    assert refuse().startswith(f"{PREFIX}{name}: ")


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("PORT", "must be a whole number from 0 to 65535"),
        ("POLL_MINUTES", "must be a whole number from 1 to 1440"),
        ("STRAVA_RETENTION_DAYS", "must be a whole number from 1 to 36500"),
        ("WEB_PROCESSES", "must be a whole number from 1 to 256"),
        ("LOG_FORMAT", "must be text or json"),
        ("STRAVA_SIGNATURE", "must be off, observe or enforce"),
        ("DATABASE_POOL_MODE", "must be session or transaction"),
    ],
)
def test_what_is_allowed_is_said(
    name: str, allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}{name}", "-1")

    assert refuse() == f"{PREFIX}{name}: {allowed}."


CLUSTER = {
    "MOODMILES_PORT": "tcp://10.96.3.7:8000",
    "MOODMILES_PORT_8000_TCP": "tcp://10.96.3.7:8000",
    "MOODMILES_PORT_8000_TCP_PROTO": "tcp",
    "MOODMILES_PORT_8000_TCP_PORT": "8000",
    "MOODMILES_PORT_8000_TCP_ADDR": "10.96.3.7",
    "MOODMILES_SERVICE_HOST": "10.96.3.7",
    "MOODMILES_SERVICE_PORT": "8000",
    "MOODMILES_SERVICE_PORT_HTTP": "8000",
    "MOODMILES_WEB_PORT": "tcp://10.96.3.8:8000",
    "MOODMILES_WEB_PORT_53_UDP": "udp://10.96.3.8:53",
    "MOODMILES_WEB_SERVICE_HOST": "10.96.3.8",
    "MOODMILES_WEB_SERVICE_PORT_WEB": "8000",
    "MOODMILES_NAME": "/worker/moodmiles",
    "MOODMILES_ENV_PATH": "/usr/local/bin",
    "MOODMILES_ENV_MOODMILES_PORT": "8000",
    "MOODMILES_DB_NAME": "/worker/moodmiles-db",
    "MOODMILES_DB_ENV_POSTGRES_PASSWORD": "secret",
}


def test_the_names_of_a_cluster_are_passed_over(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    for name, value in CLUSTER.items():
        monkeypatch.setenv(name, value)
    assert settings.load().port == 8000
    (folder / ".env").write_text("MOODMILES_PORT=8123\n")

    assert settings.load().port == 8123


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MOODMILES_ENV_FILE", "x"),
        ("MOODMILES_NAME", "Club"),
        ("MOODMILES_WEB_PORT", "8000"),
        ("MOODMILES_SERVICE_HOSTS", "x"),
        ("MOODMILES_PROT", "tcp://10.96.3.7:8000"),
        ("MOODMILES_PORTS", "tcp://10.96.3.7:8000"),
    ],
)
def test_a_slip_of_the_pen_is_no_cluster_s(name: str, value: str) -> None:
    assert refuse({name: value}).startswith(f"Unknown setting {name}")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"MOODMILES_PORT=1\nMOODMILES_PORT=2\n", "stands in .env with two values"),
        (b"MOODMILES_PORT=1\nexport moodmiles_port=2\n", "with two values"),
        (b'MOODMILES_OPERATOR="Ada\nMOODMILES_PORT=1\n', "cannot be read"),
        (b"MOODMILES_OPERATOR=\xff\n", ".env cannot be read (UnicodeDecodeError)"),
        (b"\xff\xfeM\x00", ".env cannot be read (UnicodeDecodeError)"),
        (b"\xef\xbb\xbfMOODMILES_PROT=1\n", "Unknown setting MOODMILES_PROT"),
        # What a power cut leaves, and what other files look like.
        (b"\0" * 64, ".env is damaged"),
        (b"MOODMILES_PORT=1\n" + b"\0" * 64, ".env is damaged"),
        (b"MOODMILES_PORT=1\nMOODMILES_PUB", "Unknown setting MOODMILES_PUB"),
        (b"MOODMILES_PORT: 1\n", "MOODMILES_PORT in .env cannot be read"),
        (b'{"MOODMILES_PORT": 1}\n', "MOODMILES_PORT in .env cannot be read"),
        (b"- MOODMILES_PORT=1\n", "MOODMILES_PORT in .env cannot be read"),
        (b"set MOODMILES_PORT=1\n", "MOODMILES_PORT in .env cannot be read"),
        (b"MOODMILES-PORT=1\n", "MOODMILES-PORT in .env cannot be read"),
        ("\u200bMOODMILES_PORT=1\n".encode(), "MOODMILES_PORT in .env cannot be read"),
    ],
)
def test_a_line_of_the_file_is_not_lost(
    content: bytes, sentence: str, folder: Path
) -> None:
    (folder / ".env").write_bytes(content)

    assert sentence in refuse({})


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfMOODMILES_PORT=8123\n",
        b"MOODMILES_PORT=8123\r\nMOODMILES_HOST=::1\r\n",
        b"MOODMILES_PORT=8123\nMOODMILES_PORT=8123\n",
        b"export MOODMILES_PORT = '8123' # the pages\n",
        b"moodmiles_port= 8123 \n",
    ],
)
def test_a_file_is_read_as_people_write_it(content: bytes, folder: Path) -> None:
    (folder / ".env").write_bytes(content)

    assert settings.load({}).port == 8123


@pytest.mark.parametrize(
    ("line", "password"),
    [
        ("'$HOME ${HOME} # $$ %40'", "$HOME ${HOME} # $$ %40"),
        ("'${HOME}\\'${HOME}'", "${HOME}'${HOME}"),
        ("'a\\\\${HOME}' # ours", "a\\${HOME}"),
        ('"${NOT_SET}x"', "x"),
        ("${NOT_SET}x", "x"),
    ],
)
def test_a_value_in_single_quotes_is_as_it_stands(
    line: str, password: str, folder: Path
) -> None:
    (folder / ".env").write_text(f"MOODMILES_REDIS_PASSWORD={line}\nMOODMILES_PORT=1\n")

    read = settings.load({})

    assert read.redis_password is not None
    assert read.redis_password.get_secret_value() == password
    assert read.port == 1


def test_a_folder_in_place_of_the_file_is_refused(folder: Path) -> None:
    """Docker makes one where it shall mount a file that is missing."""
    (folder / ".env").mkdir()
    assert ".env is a folder" in refuse({})
    (folder / ".env" / "pyvenv.cfg").touch()

    assert settings.load({}).port == 8000


def test_two_spellings_of_one_name_are_refused() -> None:
    with pytest.raises(NotConfigured, match="MOODMILES_PORT is set twice"):
        settings.reject_repeated({"MOODMILES_PORT": "1", "moodmiles_port": "2"})
    settings.reject_repeated({"MOODMILES_PORT": "1", "moodmiles_port": "1"})
    settings.reject_repeated({"MOODMILES_PORT": "tcp://h:1", "moodmiles_port": "2"})


@pytest.mark.parametrize("field", sorted({"data_dir", "mailbox_dir"}))
def test_a_home_is_a_home(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}{field.upper()}", "~/moods")

    assert getattr(settings.load(), field) == Path.home() / "moods"


def test_a_pooler_is_named_in_the_address_that_engines_get() -> None:
    read: Callable[..., Settings] = lambda **given: Settings.model_validate(given)  # noqa: E731
    mode = {"database_pool_mode": "transaction"}
    url = "postgres://u@h/x"

    assert read(database_url=url).sql_url == "postgresql+psycopg://u@h/x"
    assert read(database_url=url, **mode).sql_url.endswith("/x?pool_mode=transaction")
    assert read(database_url=f"{url}?sslmode=require", **mode).sql_url.endswith(
        "?sslmode=require&pool_mode=transaction"
    )
    assert "pool_mode" not in read(**mode).sql_url


def test_every_setting_is_explained_and_nothing_else() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    names = [line[1:].partition("=")[0] for line in lines if line.startswith("#MOOD")]

    assert len(names) == len({*names})
    assert {*names} == {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}


@given(st.data())
@hypothesis_settings(
    max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_text_is_obeyed_or_refused(data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(sorted(Settings.model_fields)))
    signs = st.characters(codec="utf-8", exclude_characters="\0")
    schemes = st.sampled_from(
        ["", "https://", "http://", "postgres://", "redis://", "unix:///", "smtp://"]
    )
    value = data.draw(schemes) + data.draw(st.text(signs, max_size=40))
    name = f"{PREFIX}{field.upper()}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        sentence, is_set = "", False
        try:
            is_set = field in settings.load().model_fields_set
        except NotConfigured as error:
            sentence = str(error)
    if sentence:
        assert sentence.startswith(f"{name}: ")
        assert sentence.isprintable()
    else:
        assert is_set is bool(value.strip())
