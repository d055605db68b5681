"""The command line: every command explains itself, every mistake is one sentence."""

import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from host.cli import EXIT_FAILED, EXIT_OK, EXIT_USAGE, main
from sync.errors import NotConfigured
from tests.support.command_names import list_command_names
from tests.support.paths import ROOT
from tests.support.strong_secrets import VERIFY_TOKEN, WEBHOOK_SECRET

# Everything that a part in production needs, but for a contact.
PUBLIC = {
    "PUBLIC_URL": "https://run.example",
    "SECRET_KEYS": "a key for tests that is long enough",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SMTP_URL": "smtp://127.0.0.1:1",
    "MAIL_FROM": "Moodmiles <mood@run.example>",
    "STRAVA_CLIENT_ID": "1",
    "STRAVA_CLIENT_SECRET": "simulated",
    "STRAVA_VERIFY_TOKEN": VERIFY_TOKEN,
    "STRAVA_WEBHOOK_SECRET": WEBHOOK_SECRET,
}


@pytest.mark.parametrize("command", [*list_command_names()])
def test_every_command_has_help(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([*command.split(), "--help"])

    assert code == EXIT_OK
    assert f"Usage: moodmiles {command} [OPTIONS]" in capsys.readouterr().out


def test_the_list_of_commands_names_them_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["--help"])

    lines = capsys.readouterr().out.splitlines()
    listed = {line.strip() for line in lines}
    assert code == EXIT_OK
    assert (
        "runner   one runner, or all: list, export, import, sign-out, delete" in listed
    )
    assert all(
        any(set(command.split()) <= set(re.findall(r"[\w-]+", line)) for line in lines)
        for command in list_command_names()
    )


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["wbe"], "No such command 'wbe'; did you mean 'web'?"),
        (["db", "upgrad"], "No such command 'upgrad'; did you mean 'upgrade'?"),
        (["up", "--prot", "1"], "No such option '--prot'; (did you mean"),
        (["up", "--pro", "1"], "No such option '--pro'; did you mean '--port'?"),
        (["up", "--port", "many"], "Invalid value for '--port': 'many' is not"),
        (
            ["runner", "delete"],
            "Missing argument 'N' (see moodmiles runner delete --help).",
        ),
        (["runner", "delete", "1", "2"], "Got unexpected extra argument (2)"),
        (["doctor", "databse"], "Invalid value for '[CHECK]...': 'databse' is not one"),
        (["strava"], "Say which command: subscribe, status"),
        ([], "Say which command: up, demo"),
    ],
)
def test_wrong_use_is_answered_with_the_nearest_right_one(
    argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(argv)

    output = capsys.readouterr()
    assert (code, output.out) == (EXIT_USAGE, "")
    assert output.err.startswith(f"moodmiles: {sentence}")
    assert output.err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MOODMILES_SMPT_URL", "x", "did you mean MOODMILES_SMTP_URL?"),
        (
            "MOODMILES_PORT",
            "many",
            "MOODMILES_PORT: must be a whole number from 0 to 65535",
        ),
        ("MOODMILES_CONTACT", "ask me", "MOODMILES_CONTACT: must be"),
    ],
)
def test_a_wrong_setting_is_named(
    name: str,
    value: str,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)

    code = main(["up"])

    assert code == EXIT_USAGE
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("part", ["web", "worker", "beat"])
def test_a_part_in_production_says_what_it_still_needs(
    part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([part])

    errors = capsys.readouterr().err
    assert code == EXIT_FAILED
    assert "Not set: MOODMILES_SECRET_KEYS, MOODMILES_REDIS_URL" in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize("part", ["up", "web", "worker", "beat"])
def test_nothing_starts_in_public_without_somebody_to_write_to(
    part: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in PUBLIC.items():
        monkeypatch.setenv(f"MOODMILES_{name}", value)

    code = main([part])

    errors = capsys.readouterr().err
    assert code == EXIT_FAILED
    assert errors.startswith("moodmiles: MOODMILES_CONTACT is not set:")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("part", ["up", "web", "worker", "beat"])
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"PUBLIC_URL": "http://run.example"}, "PUBLIC_URL must begin with https on"),
        ({"PUBLIC_URL": "http://raspi.local:8000"}, "PUBLIC_URL must begin with https"),
        ({"PUBLIC_URL": "http://192.168.1.5"}, "PUBLIC_URL must begin with https on"),
        ({"STRAVA_WEBHOOK_SECRET": "x"}, "STRAVA_WEBHOOK_SECRET needs at least 24"),
        ({"STRAVA_VERIFY_TOKEN": "x"}, "STRAVA_VERIFY_TOKEN needs at least 24 char"),
        ({"STRAVA_VERIFY_TOKEN": "x" * 30}, "STRAVA_VERIFY_TOKEN repeats itself;"),
        ({"METRICS_TOKEN": "x"}, "METRICS_TOKEN needs at least 24 characters; make"),
        ({"SECRET_KEYS": "x" * 31}, "SECRET_KEYS needs at least 32 characters; make"),
        ({"SECRET_KEYS": "x" * 32}, "SECRET_KEYS repeats itself; make one: python3"),
    ],
)
def test_nothing_starts_in_clear_text_or_with_a_secret_that_is_guessed(
    part: str,
    changes: dict[str, str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in (PUBLIC | {"CONTACT": "a@run.example"} | changes).items():
        monkeypatch.setenv(f"MOODMILES_{name}", value)

    code = main([part])

    errors = capsys.readouterr().err
    assert code == EXIT_FAILED
    assert errors.startswith(f"moodmiles: MOODMILES_{sentence}")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("command", ["up", "demo"])
def test_nothing_made_up_is_served_in_clear_text_to_a_home_network(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("host.ports.choose_web_port", lambda _host, port: port)

    code = main([command, "--host", "192.168.1.5"])

    assert code == EXIT_FAILED
    assert "PUBLIC_URL must begin with https" in capsys.readouterr().err


def test_a_mail_server_that_is_misspelt_is_said_at_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = {"CONTACT": "a@run.example", "SMTP_URL": "smtp://mail:1025?tls=of"}
    for name, value in (PUBLIC | changes).items():
        monkeypatch.setenv(f"MOODMILES_{name}", value)

    code = main(["worker"])

    assert code == EXIT_FAILED
    assert "MOODMILES_SMTP_URL must look like" in capsys.readouterr().err


def test_the_pages_themselves_refuse_it_whatever_server_loads_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in PUBLIC.items():
        monkeypatch.setenv(f"MOODMILES_{name}", value)

    with pytest.raises(NotConfigured, match="MOODMILES_CONTACT"):
        import_module("web.wsgi")


@pytest.mark.parametrize("word", ["version", "--version"])
def test_it_says_in_one_line_which_version_it_is(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "version"
    ]

    code = main([word])

    assert code == 0
    assert capsys.readouterr().out == f"moodmiles {declared}\n"


def test_the_changelog_names_this_version_with_its_date() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "version"
    ]
    headings = re.findall(
        r"^## \[(.+?)\] - (\d{4}-\d{2}-\d{2})$",
        (ROOT / "CHANGELOG.md").read_text(),
        re.MULTILINE,
    )

    assert headings[0][0] == declared
    assert headings == sorted(headings, key=lambda heading: heading[1], reverse=True)


def test_a_full_disk_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A device that is always full gives the error that any disk gives."""

    def write(_arguments: object) -> int:
        with Path("/dev/full").open("w") as full:
            full.write("x")
        return 0

    monkeypatch.setattr("host.version.run", write)

    assert main(["version"]) == EXIT_FAILED
    assert capsys.readouterr().err == (
        "moodmiles: The disk is full (No space left on device): make room on it, and "
        "try again.\n"
    )
