"""The project's names: the field's words, one class a name, no word come back."""

import ast
import builtins
import keyword
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = ("sync", "web", "workers", "host", "tests")
# Names that say nothing to those who search for the field's term, each with the term
# to use. An identifier or a module may not be one of them, in whatever case; inside a
# longer name and in prose they are words like others.
TERMS = {
    "aside": "quarantine, annotation",
    "asides": "annotations",
    "behind": "contributing_runs",
    "bell": "waiter, coalescing_queue",
    "book": "export, fixture",
    "bring": "import_runner",
    "desk": "survey_context",
    "door": "middleware, credential",
    "ear": "reader",
    "fewest": "min_count",
    "give_back": "revoke_access",
    "given_up": "dead_letters",
    "half_said": "deletion_grace",
    "hammer": "writer",
    "hold": "acquire",
    "hopeless": "needs_runner",
    "knows": "is_linked_athlete",
    "look_seldom": "tune_gc",
    "looks_away": "ignores_private_runs",
    "luggage": "export_bundle",
    "making": "fixture_builder",
    "office": "club, host",
    "own_log": "retained_runs",
    "pair_again": "relink_answers",
    "promise": "enqueue",
    "prospect": "pending_mail",
    "rarely": "rate_limit",
    "rubbish": "gc_tuning",
    "seal_up": "build_email",
    "shelf": "repository",
    "silence": "response",
    "speak": "activate_locale",
    "stand_down": "remove_retained",
    "stand_in": "insert_retained",
    "staying": "account_links",
    "takeout": "portability",
    "tally": "counter",
    "tallies": "counters",
    "teach": "install_i18n",
    "thought": "action",
    "turns": "claims, circular_shifts",
    "why_not": "suppression_reason",
    "wishes": "options",
    "woken": "mark_started",
    "workshop": "simulator",
    "worth": "n_eff",
}
# Class names that said something else than the class does.
CLASSES = {
    *("Behind", "Chance", "Draw", "Every", "Kept", "Lived", "Making", "Past", "Said"),
    *("Saying", "Scene", "Sending", "SetAside", "Told", "Wanted", "Wire"),
}
# Modules and packages that have been given the field's names.
MOVED = {
    *("host/ageing", "host/entries", "host/home", "host/life", "host/warm"),
    *("host/wishes", "sync/condition", "sync/prepared", "sync/standing"),
    *("sync/takeout", "sync/tallies", "sync/terms", "sync/analytics/asides"),
    *("sync/analytics/behind", "sync/analytics/exploring", "sync/analytics/kept"),
    *("sync/analytics/notes", "sync/analytics/notices", "sync/analytics/people"),
    *("sync/inbox/given_up", "sync/inbox/tidy", "sync/mail/parts"),
    *("sync/mail/quiet", "sync/mail/wording", "sync/runners/erase"),
    *("sync/runners/leave", "sync/runners/own_log", "sync/runners/tidy"),
    *("sync/runs/aside", "sync/runs/recordings", "sync/runs/returning"),
    *("sync/runs/sweep", "sync/runs/tidy", "sync/runs/turns", "sync/runs/twin_rules"),
    *("sync/simulator/asked", "sync/simulator/gate", "sync/simulator/life"),
    *("sync/simulator/shelf", "sync/simulator/wishes", "sync/strava/library"),
    *("sync/strava/refusals", "sync/strava/windows", "sync/strava/wire"),
    *("sync/surveys/again", "sync/surveys/ask", "sync/surveys/before"),
    *("sync/surveys/caps", "sync/surveys/chance", "sync/surveys/choose"),
    *("sync/surveys/controls", "sync/surveys/own_log", "sync/surveys/own_run"),
    *("sync/surveys/promise", "sync/surveys/whose", "sync/surveys/withdraw"),
    *("web/before", "web/bell", "web/dashboard/counted", "web/dashboard/drawn"),
    *("web/dashboard/explored", "web/dashboard/felt", "web/dashboard/owner"),
    *("web/dashboard/wanted", "web/dashboard/words", "web/help/nearby", "web/hooks"),
    *("web/rubbish", "web/states", "web/staying", "workers/pace", "workers/people"),
}
# A file that matches none of these has no such name; to parse all files takes longer.
CANDIDATE = re.compile(
    rf"\b_*({'|'.join(word.replace('_', '_?') for word in TERMS)})_*\b"
    rf"|class ({'|'.join(CLASSES)})\b",
    re.IGNORECASE,
)
BACKTICKED_NAME = re.compile(r"(?<!`)`([A-Za-z_]\w*)`(?!`)")
# Names that a docstring may use in any module: Python's, and that of the command.
KNOWN_NAMES = {*dir(builtins), *keyword.kwlist, "moodmiles"}
CLASS_LINE = re.compile(r"^[ \t]*class (\w+)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Name:
    """A name that a module defines; `kind` is module, class or variable."""

    kind: str
    text: str
    line: int

    def is_forbidden(self) -> bool:
        is_class_name = self.kind == "class" and self.text in CLASSES
        return is_class_name or to_snake_case(self.text) in TERMS


def read_sources(root: Path) -> dict[str, str]:
    """Read all modules but the written migrations, by their path below `root`."""
    return {
        str(path.relative_to(root)): path.read_text()
        for package in PACKAGES
        for path in sorted((root / package).rglob("*.py"))
        if "versions" not in path.parts
    }


def read_names(path: str, text: str) -> Iterator[Name]:
    """Yield the parts of a module's path, then each name that it defines."""
    for part in Path(path).with_suffix("").parts:
        yield Name("module", part.removeprefix("test_"), 1)
    if not CANDIDATE.search(text):
        return
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.ClassDef(name=name):
                yield Name("class", name, node.lineno)
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.Name(id=name, ctx=ast.Store())
                | ast.Attribute(attr=name, ctx=ast.Store())
                | ast.arg(arg=name)
                | ast.alias(asname=str(name))
            ):
                yield Name("variable", name, node.lineno)
            case _:
                pass


def to_snake_case(name: str) -> str:
    """Write `SetAside` and the same in capitals or with an underscore in snake case."""
    if not name.isupper():
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return name.strip("_").lower()


def find_forbidden_names(sources: Mapping[str, str]) -> list[str]:
    return [
        f"{path}:{name.line} {name.text}"
        for path, text in sources.items()
        for name in read_names(path, text)
        if name.is_forbidden()
    ]


def find_doubled_classes(sources: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the modules of each class name that is taken more than once."""
    counts = Counter(
        name for text in sources.values() for name in CLASS_LINE.findall(text)
    )
    doubled = {name for name, count in counts.items() if count > 1}
    modules = defaultdict(list)
    for path, text in sources.items():
        # A line that begins so may be part of a string.
        if doubled.intersection(CLASS_LINE.findall(text)):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ClassDef) and node.name in doubled:
                    modules[node.name].append(path)
    return {name: paths for name, paths in modules.items() if len(paths) > 1}


def find_old_modules(sources: Mapping[str, str]) -> set[str]:
    """Return those of `MOVED` that are there again, as a module or a package."""
    folders = {str(parent) for path in sources for parent in Path(path).parents}
    modules = {path.removesuffix(".py") for path in sources} | folders
    return modules & MOVED


def read_docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(tree):
        if isinstance(node, documented):
            match node.body[:1]:
                case [ast.Expr(value=ast.Constant(value=str()) as docstring)]:
                    yield docstring
                case _:
                    pass


def read_used_names(tree: ast.AST) -> set[str]:
    """Return the names in a module's code, and the words of its string constants."""
    docstrings = {id(docstring) for docstring in read_docstrings(tree)}
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case (
                ast.Name(id=name)
                | ast.Attribute(attr=name)
                | ast.arg(arg=name)
                | ast.keyword(arg=str(name))
                | ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                names.add(name)
            case ast.alias(name=name, asname=alias):
                names.update(name.split("."), [alias or name])
            case ast.ImportFrom(module=str(name)):
                names.update(name.split("."))
            case ast.Constant(value=str(text)) if id(node) not in docstrings:
                names.update(re.findall(r"\w+", text))
            case _:
                pass
    return names


def read_defined_names(tree: ast.Module) -> set[str]:
    """Return a module's functions, methods, classes and module-level variables."""
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    } | {
        target.id
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for target in ast.walk(statement)
        if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store)
    }


def find_stale_names(sources: Mapping[str, str]) -> list[str]:
    """Return the names in backticks in docstrings that no code has.

    A name is there if its module uses it or the project defines it.
    """
    trees = {path: ast.parse(text) for path, text in sources.items()}
    defined = KNOWN_NAMES | {
        part for path in sources for part in Path(path).with_suffix("").parts
    }
    for tree in trees.values():
        defined |= read_defined_names(tree)
    return [
        f"{path}:{docstring.lineno} {name}"
        for path, tree in trees.items()
        if (
            suspects := [
                (docstring, name)
                for docstring in read_docstrings(tree)
                for name in BACKTICKED_NAME.findall(str(docstring.value))
                if name not in defined
            ]
        )
        for used in [read_used_names(tree)]
        for docstring, name in suspects
        if name not in used
    ]


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    return read_sources(ROOT)


def test_no_private_word_is_a_name(sources: dict[str, str]) -> None:
    assert find_forbidden_names(sources) == []


def test_a_class_name_stands_once_in_the_project(sources: dict[str, str]) -> None:
    assert find_doubled_classes(sources) == {}


def test_no_module_has_its_old_name(sources: dict[str, str]) -> None:
    assert find_old_modules(sources) == set()


def test_a_docstring_names_what_exists(sources: dict[str, str]) -> None:
    assert find_stale_names(sources) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("class Bell: ...", "Bell"),
        ("def _give_back() -> None: ...", "_give_back"),
        ("async def promise() -> None: ...", "promise"),
        ("TURNS = 3", "TURNS"),
        ("for hold in range(3): ...", "hold"),
        ("def run(worth: float) -> None: ...", "worth"),
        ("import json as luggage", "luggage"),
        ("class State:\n    wishes: int = 0", "wishes"),
        ("run.behind = 3", "behind"),
        ("class GivenUp: ...", "GivenUp"),
        ("class Scene: ...", "Scene"),
    ],
)
def test_each_way_to_define_a_name_is_seen(text: str, name: str) -> None:
    [place] = find_forbidden_names({"web/page.py": text})

    assert place.endswith(f" {name}")


@pytest.mark.parametrize("path", ["web/bell.py", "tests/web/test_bell.py"])
def test_a_module_s_own_name_is_seen(path: str) -> None:
    assert find_forbidden_names({path: ""}) == [f"{path}:1 {Path(path).stem[-4:]}"]


@pytest.mark.parametrize(
    "text",
    [
        '"""Nobody rings the bell."""',
        "# Not worth the promise.",
        "turns_per_day = household = scene = 1",
        'values = {"wishes": 3}',
        "number = other.turns()",
    ],
)
def test_prose_longer_names_and_others_names_are_left_alone(text: str) -> None:
    assert find_forbidden_names({"web/page.py": text}) == []


def test_a_class_in_two_modules_and_a_module_that_came_back_are_seen() -> None:
    text = "class Page: ...\n\ndef build() -> None:\n    class Page: ...\n"
    sources = {"web/page.py": text, "sync/takeout/pack.py": "", "web/bell.py": ""}

    assert find_doubled_classes(sources) == {"Page": ["web/page.py", "web/page.py"]}
    assert find_old_modules(sources) == {"sync/takeout", "web/bell"}


def test_only_a_name_that_no_code_has_is_stale() -> None:
    text = '''"""Needs `old_limit` of `limits`; `LIMIT`, `None`, `mode`, `a.b` stay."""

def read(limit: int) -> str:
    """Return `limit`, `LIMIT` or `other`; raise `Refused`."""
    return "mode"
'''
    sources = {
        "web/page.py": text,
        "web/limits.py": "LIMIT: int = 3\nclass Refused(Exception): ...\nx(other=1)\n",
    }

    assert find_stale_names(sources) == [
        "web/page.py:1 old_limit",
        "web/page.py:4 other",
    ]
