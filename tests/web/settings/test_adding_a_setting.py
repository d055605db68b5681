"""A setting that is added as docs/adding.md says, in two files, works."""

import json
from pathlib import Path

import pytest

from tests.support.extension import ProductCopy, read_code_blocks
from tests.support.harness import Harness

FIRST_FIELD = "    wellbeing: Annotated["
CARD = 'IF_YOU_LIKE: Card = ("wellbeing",)'


@pytest.mark.processes
def test_a_setting_of_two_files_has_its_row_its_check_and_its_value(
    tmp_path: Path, harness: Harness, runner_id: int
) -> None:
    field, card = read_code_blocks("A setting")
    product = ProductCopy(tmp_path)
    product.replace_line("sync/preferences.py", FIRST_FIELD, f"{field}{FIRST_FIELD}\n")
    product.replace_line("web/settings/cards.py", CARD, card)

    printed = product.run_module(
        "tests.web.settings.added_setting",
        harness.runtime.settings.database_url,
        str(runner_id),
    )

    told = json.loads(printed.splitlines()[-1])
    assert Path(told["web"]).parent == tmp_path / "web"
    assert "Mails as plain text" in told["page"]
    assert "Without pictures and colours" in told["page"]
    assert told["stored"] == [True, False]
