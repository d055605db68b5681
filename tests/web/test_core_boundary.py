"""Pages hold no queries: each asks the core, and says for whom."""

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT

PAGES = sorted(
    path.relative_to(ROOT)
    for path in (ROOT / "web").rglob("*.py")
    if path.name not in {"wsgi.py", "asgi.py"}  # importing one starts the application
)
# Counts for the host's machines; they name nobody.
COUNTS = {Path("web/health/checks.py"), Path("web/health/counts.py")}
# What a call may go by: a runner, or a secret that stands for one.
SAYS_WHO = {"runner_id", "token", "browser"}
# About nobody in particular: counts, events that name athletes, made-up runners.
ABOUT_NOBODY = {
    "sync.work_status.read_status",
    "sync.inbox.receive.is_genuine",
    "sync.inbox.receive.receive_delivery",
    "sync.inbox.receive.count_unknown_kind",
    "sync.standins.fixtures.fixtures.build_fixture",
}


def list_calls(path: Path) -> Iterator[str]:
    """Yield the full name of every function of the core that is handed the runtime."""
    module = import_module(
        ".".join(path.with_suffix("").parts).removesuffix(".__init__")
    )
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Call) and node.args and _is_runtime(node.args[0]):
            function = _resolve(module, node.func)
            if function is not None and function.__module__.startswith("sync."):
                yield f"{function.__module__}.{function.__name__}"


def _is_runtime(node: ast.expr) -> bool:
    return ast.unparse(node) in {"runtime()", "runtime", "_runtime"}


def _resolve(module: Any, node: ast.expr) -> Any:
    target = module
    for name in ast.unparse(node).split("."):
        target = getattr(target, name, None)
    return target if inspect.isfunction(target) else None


def list_parameters(name: str) -> set[str]:
    module, _, function = name.rpartition(".")
    return set(inspect.signature(getattr(import_module(module), function)).parameters)


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_no_page_asks_the_tables_itself(path: Path) -> None:
    text = (ROOT / path).read_text()

    asks = "sqlalchemy" in text or "sync.models" in text or ".db." in text
    assert not asks or path in COUNTS


def test_whatever_pages_ask_of_the_core_they_ask_for_somebody() -> None:
    asked = {name for path in PAGES for name in list_calls(path)} - ABOUT_NOBODY

    assert len(asked) > 25
    assert {name for name in asked if not list_parameters(name) & SAYS_WHO} == set()
