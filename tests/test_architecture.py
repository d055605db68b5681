"""Rules about the code itself that no linter knows."""

import ast
import subprocess
import sys
from collections.abc import Iterator
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


# The engine lets these run again: see `sync/work.py`.
RETRIED_BY_ENGINE = {"claim", "release"}
# One row that is changed by itself needs no lock besides its own, and `begin_link`
# stores a visit that may belong to nobody.
LOCKS_ITS_ROW_ALONE = {
    "begin_link",
    "_lease",
    "_lease_pair",
    "_update_connection",
    "sign_out_all",
}
# It takes the row, and what is in it, with a lock of its own strength.
LOCKS_ITSELF = {"select_mail_contacts", "_store_bundle"}


def list_transactions(path: Path) -> Iterator[tuple[ast.FunctionDef, ast.Call]]:
    """Yield each call of `transaction` in the code with its innermost function."""

    def visit(
        node: ast.AST, inside: ast.FunctionDef | None
    ) -> Iterator[tuple[ast.FunctionDef, ast.Call]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Call) and ast.unparse(child.func).endswith(
                "db.transaction"
            ):
                assert inside, path
                yield inside, child
            yield from visit(
                child, child if isinstance(child, ast.FunctionDef) else inside
            )

    yield from visit(tree(path), None)


TRANSACTIONS = [
    pytest.param(path, function, call, id=f"{path}:{function.name}:{call.lineno}")
    for path in SOURCES
    if "simulator" not in path.parts
    for function, call in list_transactions(path)
]


@pytest.mark.parametrize(("path", "function", "call"), TRANSACTIONS)
def test_every_transaction_runs_again_when_it_loses_a_race(
    path: Path, function: ast.FunctionDef, call: ast.Call
) -> None:
    decorators = {ast.unparse(decorator) for decorator in function.decorator_list}
    calls = [one for one in ast.walk(function) if isinstance(one, ast.Call)]
    is_engines = function.name in RETRIED_BY_ENGINE and path.parts[0] == "sync"

    assert is_engines or "retry_conflicts" in decorators
    # What is asked of Strava is behind a commit, or before the function begins.
    asked = {ast.unparse(one.func) for one in calls if ".strava." in ast.unparse(one)}
    assert not {name for name in asked if name.startswith("runtime.strava.")} - {
        "runtime.strava.consent_url"  # only an address
    }
    assert (
        is_engines
        or sum(ast.unparse(one.func) == ast.unparse(call.func) for one in calls) == 1
    )


@pytest.mark.parametrize(("path", "function", "call"), TRANSACTIONS)
def test_what_is_about_one_runner_locks_their_row_first(
    path: Path, function: ast.FunctionDef, call: ast.Call
) -> None:
    arguments = {one.arg for one in (*function.args.args, *function.args.kwonlyargs)}

    if "runner_id" in arguments and path.parts[0] == "sync":
        assert "runner_id" in {keyword.arg for keyword in call.keywords} or (
            function.name in LOCKS_ITS_ROW_ALONE | LOCKS_ITSELF
        )


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
