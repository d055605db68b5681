"""Settings from the environment and from the file beside it."""

from pathlib import Path

import pytest

from sync import settings
from sync.errors import NotConfigured


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_unknown_name_in_the_environment_is_refused() -> None:
    with pytest.raises(NotConfigured, match="did you mean MOODMILES_PORT"):
        settings.reject_unknown({"MOODMILES_PROT": "1"})


@pytest.mark.parametrize("line", ["MOODMILES_PROT=1", "  export moodmiles_prot = 1"])
def test_an_unknown_name_in_the_file_is_refused(folder: Path, line: str) -> None:
    (folder / ".env").write_text(f"OTHER=1\n{line}\n")

    with pytest.raises(NotConfigured, match="did you mean MOODMILES_PORT"):
        settings.reject_unknown({})


def test_comments_and_known_names_pass(folder: Path) -> None:
    (folder / ".env").write_text(
        "# MOODMILES_PROT=1\n"
        "MOODMILES_PORT=8001\n"
        "export MOODMILES_HOST=::1\n"
        "MOODMILES_WITHOUT_VALUE"
    )

    settings.reject_unknown({"MOODMILES_PORT": "8000", "PATH": "/bin"})
