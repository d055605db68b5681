"""Whatever a setting holds, the doctor says one sentence a check and goes on."""

import os
from collections.abc import Mapping
from contextlib import redirect_stdout
from io import BytesIO, TextIOWrapper
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from host import doctor
from host.cli import EXIT_OK, main
from host.commands import CHECKS
from sync.settings import PREFIX, Settings

NAMES = [f"{PREFIX}{field.upper()}" for field in Settings.model_fields]
# What people write, and what editors, shells and orchestrators make of it.
SAMPLES = [
    *("", " ", "garbage", "0", "-1", "99999", "1e400", "NaN", "true", "[]", "a" * 5000),
    *("mysql://u:p@h/x", "postgresql://", "postgresql://u:p@127.0.0.1:99999/x"),
    *("postgresql://h:x/y", "postgresql+asyncpg://h/x", "postgresql://127.0.0.1:1"),
    *("postgresql://[::1", "postgresql://läufer..x/y", "postgres://127.0.0.1:1/x"),
    *("sqlite:////", "sqlite:////proc/x", "sqlite://", "sqlite:///a/b/c"),
    *("://", "//", "http://", "http://[::1", "http://a:b", "tcp://10.96.3.7:8000"),
    *("redis://", "redis://127.0.0.1:99999", "redis://127.0.0.1:1/x", "redis:// /"),
    *("redis://läufer..x:1", "rediss://127.0.0.1:1", "redis://%zz:%@127.0.0.1:1"),
    *("smtp://", "smtp://a:b@", "smtp://127.0.0.1:1", "smtps://x..y", "smtp://%ff@h"),
    *("/", "/dev/null", "/proc/1/mem", "\udcff", "a\nb", "\u202e", "$HOME", "${X}"),
    *("Läufer <a@b>", "a@b, c@d", "@", "<", '"', "'"),
]
ANY_TEXT = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40
)
SETTINGS = st.dictionaries(
    st.sampled_from(NAMES), st.sampled_from(SAMPLES) | ANY_TEXT, max_size=4
)
COMMANDS = ("db upgrade", "strava status", "runner list", "worker")
ADDRESSES = [value for value in SAMPLES if "://" in value]


@pytest.fixture(autouse=True)
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("broker_check._PROBE_WAIT_S", "broker_check._TICK_WAIT_S"):
        monkeypatch.setattr(f"host.{name}", 0.1)
    for name in ("broker_check._TIMEOUT_S", "mail_check._TIMEOUT_S"):
        monkeypatch.setattr(f"host.{name}", 0.2)


@pytest.fixture
def only_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody else's machine be asked."""
    monkeypatch.setenv("MOODMILES_STRAVA_API_URL", "http://127.0.0.1:1")


def run_doctor(values: Mapping[str, str]) -> tuple[int, list[str]]:
    """Return the exit code and the lines of a doctor in this environment."""
    before, buffer = dict(os.environ), BytesIO()
    try:
        os.environ.update(values)
        with redirect_stdout(TextIOWrapper(buffer, "utf-8")) as output:
            arguments = SimpleNamespace(command="doctor", checks=(), data_dir=None)
            code = doctor.run(arguments)
    finally:
        os.environ.clear()
        os.environ.update(before)
    output.flush()
    return code, buffer.getvalue().decode().splitlines()


def require_one_sentence_a_check(code: int, lines: list[str]) -> None:
    assert [line.split()[1] for line in lines] == list(CHECKS)
    assert all(line.startswith(("ok ", "fix ", "warn ")) for line in lines)
    assert code == int(any(line.startswith("fix ") for line in lines))
    assert not [line for line in lines if "nobody foresaw" in line]


@given(values=SETTINGS)
@hypothesis(max_examples=100)
@pytest.mark.usefixtures("only_here")
def test_any_settings_give_one_sentence_a_check(values: dict[str, str]) -> None:
    require_one_sentence_a_check(*run_doctor(values))


@pytest.mark.slow
@pytest.mark.parametrize("field", ["database_url", "redis_url", "smtp_url", "data_dir"])
@pytest.mark.usefixtures("only_here")
def test_every_sample_gives_one_sentence_a_check(field: str) -> None:
    for value in SAMPLES:
        code, lines = run_doctor({f"{PREFIX}{field.upper()}": value})
        require_one_sentence_a_check(code, lines)
        assert code == 1


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("only_here")
def test_every_command_ends_in_one_sentence(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.execv", lambda *_: None)  # a part that would start
    for field in ("database_url", "redis_url", "smtp_url"):
        for value in ADDRESSES:
            with monkeypatch.context() as patch:
                patch.setenv(f"{PREFIX}{field.upper()}", value)
                code = main(command.split())
            errors = capsys.readouterr().err.splitlines()
            said = [line for line in errors if line.startswith("moodmiles: ")]
            assert (code == EXIT_OK) or said, (field, value, errors)
            assert "Traceback (most recent call last):" not in errors, (field, value)
            assert not any("nobody foresaw" in line for line in said), (value, said)
