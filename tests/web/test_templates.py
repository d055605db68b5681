"""Templates are laid out to be read: no line is longer than an editor is wide."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
MAX_LINE_LENGTH = 160
FOLDERS = ("web/templates", "sync/mail/templates", "sync/simulator/templates")


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_template_line_is_too_long(folder: str) -> None:
    templates = [path for path in (PROJECT / folder).rglob("*") if path.is_file()]
    too_long = [
        f"{path.relative_to(PROJECT)}:{number}"
        for path in templates
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > MAX_LINE_LENGTH
    ]

    assert templates
    assert too_long == []
