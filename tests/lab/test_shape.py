"""Each count of the shape, on a package small enough to count by hand."""

import json
import sys
from pathlib import Path

import pytest

from tests.lab.shape import main, measure, percentile

SOURCES = {
    "sync/__init__.py": "",
    "sync/kept/__init__.py": "",
    # Rests on both rooms; `late` is imported inside a function.
    "sync/kept/top.py": """
        from sync.kept import middle
        from sync.kept.room.one import first

        def whole():
            from sync.kept.room import two
            return middle.half() + first() + two.second()
        """,
    "sync/kept/middle.py": """
        from typing import TYPE_CHECKING
        from sync.kept.room import one

        if TYPE_CHECKING:
            from sync.kept import top

        def half():
            return one.first()
        """,
    "sync/kept/room/__init__.py": "",
    "sync/kept/room/one.py": """
        from .two import second

        def first():
            return second()
        """,
    "sync/kept/room/two.py": """
        def second():
            return 2
        """,
    "web/once.py": """
        def _once():
            return 1

        def _twice():
            return 2

        def _never():
            return _never

        def _lent():
            return 4

        @registers
        def _registered():
            return 5

        class Page:
            @property
            def _method(self):
                return _once() + _twice() + _twice()

            def __len__(self):
                return self._method

        _registered()
        """,
    "web/lent.py": """
        from web.once import _lent

        def _once():
            return 1
        """,
    "web/circle/__init__.py": "from .. import back",
    "web/back.py": "import web.circle",
    "host/preferences.py": """
        class Preferences:
            def units(self, preferences):
                return preferences.get("units", "km")

        class Page:
            pass
        """,
    "host/reading.py": """
        def read(runner, form):
            chosen = runner.preferences
            runner.preferences["language"] = "de"
            return [
                runner.preferences.get("units", "km"),
                chosen.get("language", ""),
                chosen.get("country"),
                chosen["digest"],
                form.get("units", "km"),
            ]
        """,
    "sync/migrations/versions/0001.py": "def _left_out(): pass",
}
TEMPLATE = "<p>short</p>\n" + "x" * 161 + "\n" + "y" * 300 + "\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in SOURCES.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = text.strip("\n").split("\n")
        file.write_text("\n".join(line.removeprefix(" " * 8) for line in lines))
    pages = tmp_path / "web" / "templates" / "pages"
    pages.mkdir(parents=True)
    (pages / "long.html").write_text(TEMPLATE)
    (pages / "plain.txt").write_text("z" * 500)
    return tmp_path


def test_functions_and_private_ones_used_once(root: Path) -> None:
    shape = measure(root)

    assert shape.functions == 14
    assert shape.private_functions == 7
    assert {where.split()[1] for where in shape.private_once_places} == {
        "_once",  # of the two the one that its own module calls
        "_lent",  # imported by one other module
        "_method",  # a property is no registration
    }
    assert shape.private_once == 3


def test_what_is_used_twice_is_no_longer_counted(root: Path) -> None:
    with (root / "web" / "once.py").open("a") as file:
        file.write("\n_once()\n")

    assert measure(root).private_once == 2


def test_lengths(root: Path) -> None:
    (root / "web" / "long.py").write_text(
        "@cache\ndef long():\n" + "    do()\n" * 39 + "\n" * 361
    )

    shape = measure(root)

    assert shape.longest_function == (40, "web/long.py:2 long")
    assert shape.longest_file == (402, "web/long.py")
    assert shape.long_files == [(402, "web/long.py")]
    assert shape.function_lines_p95 == 40
    assert percentile(range(1, 101), 0.95) == 95
    assert percentile([], 0.95) == 0


def test_floors_and_arrows_by_module_and_by_room(root: Path) -> None:
    shape = measure(root, "sync.kept")

    names = [f"sync.kept.{name}" for name in ("top", "middle", "room.one", "room.two")]
    assert shape.by_module.longest_chain == names
    assert shape.by_module.floors == 4
    # From top to each other one, from middle to one, and from one to two.
    assert shape.by_module.arrows == 5
    assert shape.by_room.floors == 3
    assert shape.by_room.arrows == 3


def test_circles(root: Path) -> None:
    assert measure(root).circles == [["web.back", "web.circle"]]


def test_a_circle_is_one_floor(root: Path) -> None:
    (root / "sync" / "kept" / "room" / "two.py").write_text("import sync.kept.room.one")

    shape = measure(root, "sync.kept")

    assert (
        shape.by_module.longest_chain[-1] == "sync.kept.room.one + sync.kept.room.two"
    )
    assert shape.by_module.floors == 3
    assert shape.by_module.arrows == 6


def test_preferences_that_are_read_by_hand(root: Path) -> None:
    shape = measure(root)

    assert shape.preferences_by_hand == ["host/reading.py:5", "host/reading.py:6"]
    assert shape.preferences_without_default == [
        "host/reading.py:7",
        "host/reading.py:8",
    ]


def test_template_lines(root: Path) -> None:
    shape = measure(root)

    assert shape.longest_template_line == (300, "web/templates/pages/long.html:3")
    assert shape.long_template_lines == 2


def test_class_names_taken_twice(root: Path) -> None:
    shape = measure(root)

    assert shape.classes == 3
    assert list(shape.doubled_classes) == ["Page"]


def test_the_table_and_json(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["shape", "--root", str(root), "--inside", "sync.kept"]
    monkeypatch.setattr(sys, "argv", argv)
    assert main() == 0
    table = capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", [*argv, "--json"])
    assert main() == 0
    measured = json.loads(capsys.readouterr().out)

    assert "template line max                                 300" in table
    assert "of all functions   21.4%  3" in table
    assert measured["by_module"]["arrows"] == 5


def test_a_folder_without_our_packages_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["shape", "--root", str(tmp_path)])

    with pytest.raises(SystemExit):
        main()
