"""Following docs/adding.md in a copy of the product, as somebody who extends it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT

_CODE_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read_code_blocks(heading: str) -> list[str]:
    """Return the blocks of Python in one section of docs/adding.md, in order."""
    text = (ROOT / "docs" / "adding.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return _CODE_BLOCK.findall(section)


class ProductCopy:
    """A copy of `sync` and `web` in a folder of its own, to be extended and run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        ignored = shutil.ignore_patterns("__pycache__")
        for package in ("sync", "web"):
            shutil.copytree(ROOT / package, folder / package, ignore=ignored)

    def add_file(self, path: str, text: str) -> None:
        """Write a file that the product does not have."""
        with (self._folder / path).open("x", encoding="utf-8") as file:
            file.write(text)

    def replace_line(self, path: str, line: str, text: str) -> None:
        """Put other lines in the place of one that stands once in a file."""
        file = self._folder / path
        before, found, after = file.read_text(encoding="utf-8").partition(f"{line}\n")
        assert found, line
        assert f"{line}\n" not in after, line
        file.write_text(f"{before}{text}{after}", encoding="utf-8")

    def insert_member(self, class_name: str, line: str) -> None:
        """Add a member at the end of a closed set in the vocabulary."""
        path = self._folder / "sync" / "vocabulary.py"
        text, count = re.subn(
            rf"(^class {class_name}\(.*?\n)(\n\n)",
            lambda match: f"{match[1]}{line}{match[2]}",
            path.read_text(encoding="utf-8"),
            count=1,
            flags=re.MULTILINE | re.DOTALL,
        )
        assert count == 1, class_name
        path.write_text(text, encoding="utf-8")

    def run_module(self, module: str, *arguments: str) -> str:
        """Run a module of the tests on the copy, and return what it prints."""
        process = subprocess.run(  # noqa: S603
            [sys.executable, "-m", module, *arguments],
            cwd=self._folder,
            env=os.environ | {"PYTHONPATH": f"{self._folder}{os.pathsep}{ROOT}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        return process.stdout
