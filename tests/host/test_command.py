"""The command line: every command explains itself, every mistake is one sentence."""

import pytest

from host.cli import FAILED, WRONG_USE, main
from host.commands import COMMANDS, Command


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_help(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command.words, "--help"])

    assert ended.value.code == 0
    assert f"usage: moodmiles {command.name}" in capsys.readouterr().out


def test_the_list_of_commands_names_them_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])

    told = capsys.readouterr().out
    assert all(word in told for command in COMMANDS for word in command.words)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["wbe"], "Unknown command 'wbe'; did you mean 'web'?"),
        (["db", "upgrad"], "Unknown command 'upgrad'; did you mean 'upgrade'?"),
        (["up", "--prot", "1"], "Unknown option --prot; did you mean --port?"),
        (["up", "--port", "many"], "Argument --port: invalid int value: 'many'"),
        (["runner", "delete"], "The following arguments are required: N"),
        (["doctor", "databse"], "Unknown check 'databse'; did you mean 'database'?"),
        (["strava"], "Say which command: strava subscribe"),
        ([], "Say which command: up, demo"),
    ],
)
def test_wrong_use_is_answered_with_the_nearest_right_one(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(words)

    said = capsys.readouterr()
    assert (code, said.out) == (WRONG_USE, "")
    assert said.err.startswith(f"moodmiles: {sentence}")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MOODMILES_SMPT_URL", "x", "did you mean MOODMILES_SMTP_URL?"),
        ("MOODMILES_PORT", "many", "MOODMILES_PORT: Input should be"),
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

    assert code == WRONG_USE
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("part", ["web", "worker", "beat"])
def test_a_part_in_production_says_what_it_still_needs(
    part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([part])

    told = capsys.readouterr().err
    assert code == FAILED
    assert "Not set: MOODMILES_SECRET_KEYS, MOODMILES_REDIS_URL" in told
    assert told.count("\n") == 1


def test_it_says_which_version_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--version"])

    assert code == 0
    assert capsys.readouterr().out.startswith("moodmiles ")
