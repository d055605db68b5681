"""Measure the shape of the code: `python -m tests.lab.shape [--root DIR] [--json]`.

Reads the sources below `sync`, `web`, `workers` and `host` of any checkout and runs
none of them, so that an older checkout can be measured by the same rules.  Written
migrations (`versions`) are left out: nobody reads them to find something.

What each row counts:

- *functions*: every `def`, also methods and those inside another function.
- *private, used once*: of these, whose name begins with one underscore and stands
  exactly once outside its own definition.  Looked at are the module that defines it
  and modules that import it by name: the same private name elsewhere is another
  function.  Two of one name in one module share their uses.  A name that is handed
  over uncalled counts as used, too.  Left out is what
  somebody else calls: what has a decorator that may register it (any but those of
  `PLAIN_DECORATORS`), and dunders.
- *function length*: lines from `def` to the last one, without decorators.
- *floors*, *arrows*: inside one package (`--inside`) the modules on the longest chain
  of imports, and the pairs of modules of which one imports the other.  Once by
  module, and once by *room*: the folders and modules directly in that package.
- *import circles*: groups of modules that import each other, directly or not;
  imports inside functions count, those for the type checker alone do not.
- *preferences by hand*: `.get("units", …)` or `["units"]` on something called
  `preferences`, or on a name that was given such a thing, outside the module of the
  class `Preferences`.  A `.get` without a default repeats no rule; it has its own row.
- *template lines*: of all HTML below a folder `templates`.
- *class names taken twice*: names that more than one class statement has.

Some of what makes a house easy to find one's way in is for people to count: the
questions "which file holds …", the stops of a batch of events on its way, the types
that stand for a run, and the files to touch for a new mail, panel or setting.
"""

import ast
import json
import sys
from argparse import ArgumentParser
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).parents[2]
PACKAGES = ("sync", "web", "workers", "host")
LONG_FILE = 400
LONG_TEMPLATE_LINE = 160
PREFERENCES = "preferences"
NOTHING = (0, "")
# They change how a function behaves; nobody else gets to call it.
PLAIN_DECORATORS = {
    "cache",
    "cached_property",
    "classmethod",
    "contextmanager",
    "lru_cache",
    "property",
    "staticmethod",
    "wraps",
}

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Graph: TypeAlias = Mapping[str, set[str]]


@dataclass(frozen=True, slots=True)
class Module:
    """One source file; `name` is what others import it by."""

    name: str
    path: str
    is_package: bool
    lines: int
    tree: ast.Module


@dataclass(frozen=True, slots=True)
class Layering:
    """How the parts of one package rest on each other."""

    parts: int
    floors: int
    arrows: int
    longest_chain: list[str]


@dataclass(frozen=True, slots=True)
class Shape:
    """Everything that is measured; the places are for whoever mends them."""

    modules: int
    functions: int
    private_functions: int
    private_once: int
    private_once_places: list[str]
    function_lines_p95: int
    longest_function: tuple[int, str]
    longest_file: tuple[int, str]
    long_files: list[tuple[int, str]]
    longest_template_line: tuple[int, str]
    long_template_lines: int
    preferences_by_hand: list[str]
    preferences_without_default: list[str]
    classes: int
    doubled_classes: dict[str, list[str]]
    circles: list[list[str]]
    inside: str
    by_module: Layering
    by_room: Layering


def measure(root: Path, inside: str = "sync.analytics") -> Shape:
    """Measure the checkout at `root`, and the imports inside one of its packages."""
    modules = read(root)
    functions = [
        (function, module) for module in modules for function in functions_of(module)
    ]
    lengths = [
        (lines_of(function), place(module, function)) for function, module in functions
    ]
    files = sorted((module.lines, module.path) for module in modules)
    templates = sorted(template_lines(root))
    once = used_once(modules)
    by_hand = preferences_by_hand(modules)
    places = class_places(modules)
    graph = import_graph(modules)
    return Shape(
        modules=len(modules),
        functions=len(functions),
        private_functions=sum(is_private(function.name) for function, _ in functions),
        private_once=len(once),
        private_once_places=once,
        function_lines_p95=percentile([length for length, _ in lengths], 0.95),
        longest_function=max(lengths, default=NOTHING),
        longest_file=max(files, default=NOTHING),
        long_files=[one for one in files if one[0] > LONG_FILE],
        longest_template_line=max(templates, default=NOTHING),
        long_template_lines=sum(n > LONG_TEMPLATE_LINE for n, _ in templates),
        preferences_by_hand=[where for where, has_default in by_hand if has_default],
        preferences_without_default=[where for where, has in by_hand if not has],
        classes=sum(map(len, places.values())),
        doubled_classes={
            name: names for name, names in sorted(places.items()) if len(names) > 1
        },
        circles=circles(graph),
        inside=inside,
        by_module=layering(within(graph, inside)),
        by_room=layering(rooms(within(graph, inside), inside)),
    )


# --- Sources ------------------------------------------------------------------


def read(root: Path) -> list[Module]:
    return [
        _module(path.relative_to(root), path.read_text())
        for package in PACKAGES
        for path in sorted((root / package).rglob("*.py"))
        if "versions" not in path.parts
    ]


def _module(path: Path, text: str) -> Module:
    parts = path.with_suffix("").parts
    is_package = parts[-1] == "__init__"
    name = ".".join(parts[:-1] if is_package else parts)
    return Module(name, str(path), is_package, len(text.splitlines()), ast.parse(text))


def place(module: Module, node: ast.stmt | ast.expr) -> str:
    name = getattr(node, "name", "")
    return f"{module.path}:{node.lineno} {name}".rstrip()


# --- Functions ----------------------------------------------------------------


def functions_of(module: Module) -> Iterator[Function]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"


def used_once(modules: Iterable[Module]) -> list[str]:
    """Name the private functions whose name stands once outside their definition."""
    modules = list(modules)
    imported = Counter(
        (node.module, alias.name)
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    )
    names = []
    for module in modules:
        uses = Counter(_names_in(module.tree))
        for function in functions_of(module):
            if not is_private(function.name) or _may_be_registered(function):
                continue
            inside = Counter(_names_in(function))[function.name]
            elsewhere = imported[module.name, function.name]
            if uses[function.name] - inside + elsewhere == 1:
                names.append(place(module, function))
    return names


def _names_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr


def _may_be_registered(function: Function) -> bool:
    names = {_last_name(decorator) for decorator in function.decorator_list}
    return bool(names - PLAIN_DECORATORS)


def _last_name(node: ast.expr) -> str:
    """Return the last name of an expression such as `a.b.c`, also of a call."""
    match node:
        case ast.Call(func=called):
            return _last_name(called)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def percentile(values: Iterable[int], share: float) -> int:
    """Return the smallest value that at least this share of all do not exceed."""
    ordered = sorted(values)
    return ordered[ceil(share * len(ordered)) - 1] if ordered else 0


# --- Preferences, classes, templates ------------------------------------------


def preferences_by_hand(modules: Iterable[Module]) -> list[tuple[str, bool]]:
    """Name where a preference is read by its key, and whether with a default."""
    names = []
    for module in modules:
        if not _defines_preferences(module):
            names += list(_read_by_hand(module))
    return names


def _defines_preferences(module: Module) -> bool:
    return any(
        isinstance(node, ast.ClassDef) and node.name == "Preferences"
        for node in module.tree.body
    )


def _read_by_hand(module: Module) -> Iterator[tuple[str, bool]]:
    names = {PREFERENCES} | {
        target.id
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assign) and _last_name(node.value) == PREFERENCES
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=held, attr="get"),
                args=[ast.Constant(value=str()), *default],
            ) if _last_name(held) in names:
                yield place(module, node), bool(default)
            case ast.Subscript(
                value=held, slice=ast.Constant(value=str()), ctx=ast.Load()
            ) if _last_name(held) in names:
                yield place(module, node), False


def class_places(modules: Iterable[Module]) -> dict[str, list[str]]:
    places = defaultdict(list)
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{module.path}:{node.lineno}")
    return places


def template_lines(root: Path) -> Iterator[tuple[int, str]]:
    """Give each line's length, and where it is."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("templates/**/*.html*")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                yield len(line), f"{path.relative_to(root)}:{number}"


# --- Imports ------------------------------------------------------------------


def import_graph(modules: Iterable[Module]) -> Graph:
    """Say which of the modules each one imports."""
    modules = list(modules)
    known = {module.name for module in modules}
    return {
        module.name: {
            name for name in _imported_by(module, known) if name != module.name
        }
        for module in modules
    }


def _imported_by(module: Module, known: set[str]) -> Iterator[str]:
    for node in _run_statements(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            source = _source(module, node)
            for alias in node.names:
                # What is taken from a package is a module of it, or its own.
                inner = f"{source}.{alias.name}"
                yield from [name for name in (inner, source) if name in known][:1]


def _source(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    depth = len(parts) - node.level + module.is_package
    return ".".join([*parts[:depth], *filter(None, [node.module])])


def _run_statements(node: ast.AST) -> Iterator[ast.AST]:
    """Walk through everything but what stands there for the type checker alone."""
    yield node
    if isinstance(node, ast.If) and _last_name(node.test) == "TYPE_CHECKING":
        inner: Iterable[ast.AST] = node.orelse
    else:
        inner = ast.iter_child_nodes(node)
    for child in inner:
        yield from _run_statements(child)


def within(graph: Graph, package: str) -> Graph:
    names = {
        name for name in graph if name == package or name.startswith(f"{package}.")
    }
    return {name: graph[name] & names for name in names}


def rooms(graph: Graph, package: str) -> Graph:
    """Take all modules of a folder directly in the package for one."""
    depth = len(package.split(".")) + 1
    arrows: dict[str, set[str]] = defaultdict(set)
    for name, imported in graph.items():
        folder = ".".join(name.split(".")[:depth])
        arrows[folder] |= {".".join(other.split(".")[:depth]) for other in imported}
    return {folder: others - {folder} for folder, others in arrows.items()}


def layering(graph: Graph) -> Layering:
    chain = longest_chain(graph)
    return Layering(len(graph), len(chain), sum(map(len, graph.values())), chain)


def longest_chain(graph: Graph) -> list[str]:
    """Return the longest way along imports; a circle is one stop, by all its names."""
    groups = _groups(graph)
    group_of = {name: group for group in groups for name in group}
    chains: dict[tuple[str, ...], list[str]] = {}
    for group in groups:  # what a group imports comes before it
        below = {
            group_of[other]
            for name in group
            for other in graph[name]
            if group_of[other] != group
        }
        longest = max((chains[other] for other in sorted(below)), key=len, default=[])
        chains[group] = [" + ".join(group), *longest]
    return max(chains.values(), key=len, default=[])


def circles(graph: Graph) -> list[list[str]]:
    return sorted(list(group) for group in _groups(graph) if len(group) > 1)


def _groups(graph: Graph) -> list[tuple[str, ...]]:
    """Group what imports each other, the imported before the importing (Tarjan)."""
    numbers: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_names: list[str] = []
    groups: list[tuple[str, ...]] = []

    def visit(name: str) -> None:
        numbers[name] = lowest[name] = len(numbers)
        open_names.append(name)
        for other in sorted(graph[name]):
            if other not in numbers:
                visit(other)
                lowest[name] = min(lowest[name], lowest[other])
            elif other in open_names:
                lowest[name] = min(lowest[name], numbers[other])
        if lowest[name] == numbers[name]:
            start = open_names.index(name)
            groups.append(tuple(sorted(open_names[start:])))
            del open_names[start:]

    for name in sorted(graph):
        if name not in numbers:
            visit(name)
    return groups


# --- The table ----------------------------------------------------------------


def rows(shape: Shape) -> list[tuple[str, str, str]]:
    """Return what was measured, its value, and where to look."""
    by_hand, bare = shape.preferences_by_hand, shape.preferences_without_default
    return [
        ("modules", f"{shape.modules}", ""),
        ("functions", f"{shape.functions}", f"{shape.private_functions} private"),
        (
            "private functions used once, of all functions",
            f"{shape.private_once / max(1, shape.functions):.1%}",
            f"{shape.private_once}",
        ),
        ("function length p95", f"{shape.function_lines_p95}", ""),
        ("function length max", *_longest(shape.longest_function)),
        ("file length max", *_longest(shape.longest_file)),
        (f"files over {LONG_FILE} lines", f"{len(shape.long_files)}", ""),
        *_layering_rows(f"{shape.inside}, by module", shape.by_module),
        *_layering_rows(f"{shape.inside}, by room", shape.by_room),
        ("import circles", f"{len(shape.circles)}", "; ".join(map(str, shape.circles))),
        ("preferences by hand, with a default", *_in_files(by_hand)),
        ("preferences by hand, without one", *_in_files(bare)),
        ("template line max", *_longest(shape.longest_template_line)),
        (
            f"template lines over {LONG_TEMPLATE_LINE}",
            f"{shape.long_template_lines}",
            "",
        ),
        ("classes", f"{shape.classes}", ""),
        (
            "class names taken twice",
            f"{len(shape.doubled_classes)}",
            ", ".join(shape.doubled_classes),
        ),
    ]


def _longest(one: tuple[int, str]) -> tuple[str, str]:
    return f"{one[0]}", one[1]


def _layering_rows(what: str, names: Layering) -> list[tuple[str, str, str]]:
    chain = " > ".join(name.rpartition(".")[2] for name in names.longest_chain)
    return [
        (f"floors of {what}", f"{names.floors}", chain),
        (f"arrows in {what}", f"{names.arrows}", f"{names.parts} parts"),
    ]


def _in_files(places: list[str]) -> tuple[str, str]:
    files = {where.partition(":")[0] for where in places}
    return f"{len(places)}", f"in {len(files)} files"


def main() -> int:
    parser = ArgumentParser(
        prog="python -m tests.lab.shape",
        description="Measure the shape of the code; the module says what counts.",
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="a checkout")
    parser.add_argument("--inside", default="sync.analytics", help="a package")
    parser.add_argument("--json", action="store_true", help="all, with the places")
    options = parser.parse_args()
    shape = measure(options.root, options.inside)
    if not shape.modules:
        parser.error(f"{options.root} has none of {', '.join(PACKAGES)}")
    if options.json:
        print(json.dumps(asdict(shape), indent=1))
        return 0
    for what, value, where in rows(shape):
        print(f"{what:46} {value:>6}  {where}".rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
