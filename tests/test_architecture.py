"""Rules about the code itself that no linter knows."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = ("sync", "web", "workers", "host")
SOURCES = sorted(
    path.relative_to(ROOT)
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "versions" not in path.parts
)
MAY_COMMIT = {Path("sync/database.py"), Path("sync/migrations/env.py")}
# The tests' judges alone: a hundred megabytes that the product does not need.
JUDGES = {"pandas", "statsmodels"}


def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_only_the_database_module_commits(path: Path) -> None:
    calls = {
        node.func.attr
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and "archive" not in ast.unparse(node.func)
    }

    assert path in MAY_COMMIT or "simulator" in path.parts or "commit" not in calls


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_the_product_does_without_the_judges_of_its_figures(path: Path) -> None:
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
    }

    assert not imported & JUDGES


@pytest.mark.processes
def test_a_line_is_drawn_without_them() -> None:
    program = (
        "import sys, numpy; from sync.analytics.stats.curve import fit_curve;"
        "x = numpy.arange(80.0); fit_curve(x, x % 3, numpy.arange(80)).low.min();"
        f"sys.exit(bool({JUDGES} & set(sys.modules)))"
    )

    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)  # noqa: S603


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(tree(path)) or not (ROOT / path).read_text()


TESTS = sorted((ROOT / "tests").rglob("*.py"))


def strava_classes(path: Path) -> set[str]:
    """Name `HttpStrava`, what derives from it there, and what is imported from tests.

    A class with a constructor of its own takes care of its clock itself.
    """
    module = tree(path)
    return {"HttpStrava"} | {
        node.name
        for node in module.body
        if isinstance(node, ast.ClassDef)
        and "HttpStrava" in {ast.unparse(base) for base in node.bases}
        and "__init__" not in {getattr(part, "name", "") for part in node.body}
    }


def test_every_test_of_strava_gives_the_budget_a_clock() -> None:
    # By the machine's clock the last second of each quarter of an hour is refused.
    shared = set[str]().union(*map(strava_classes, TESTS))
    without, count = [], 0
    for path in TESTS:
        imported = {
            alias.name
            for node in tree(path).body
            if isinstance(node, ast.ImportFrom)
            and (node.module or "").startswith("tests.")
            for alias in node.names
        }
        names = strava_classes(path) | (imported & shared)
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in names:
                count += 1
                if "budget" not in {keyword.arg for keyword in node.keywords}:
                    without.append(f"{path.relative_to(ROOT)}:{node.lineno}")

    assert count > 10
    assert without == []
