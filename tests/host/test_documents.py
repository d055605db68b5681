"""What the documents for hosts promise is what the code offers."""

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

from host.commands import CHECKS
from host.doctor import run_checks
from sync.settings import PREFIX, Settings, load
from tests.support.command_names import list_command_names
from tests.support.paths import ROOT

pytestmark = pytest.mark.processes

SETTINGS = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
SERVICES = {"web", "worker", "beat", "migrate", "db", "redis", "mail"}


def read_documented_settings() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    pairs = (line[1:].split("=", 1) for line in lines if line.startswith("#MOOD"))
    return {pair[0]: pair[1] for pair in pairs}


def read_services() -> dict[str, str]:
    """Return each service of the compose file with its indented lines."""
    text = (ROOT / "docker-compose.yml").read_text()
    body = text.partition("\nservices:\n")[2].partition("\nvolumes:")[0]
    parts = re.split(r"^  (\w+):\n", body, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_setting_is_documented_once() -> None:
    assert read_documented_settings().keys() == SETTINGS


def test_the_documented_defaults_are_the_defaults(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in read_documented_settings().items():
        if value:
            monkeypatch.setenv(name, value)

    assert load().model_dump() == Settings.model_construct().model_dump()


def test_compose_runs_every_part_with_a_health_check() -> None:
    services = read_services()

    assert services.keys() == SERVICES
    assert all("healthcheck:" in lines for lines in services.values())


def test_compose_bounds_the_logs_of_every_part() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    shared = text.partition("x-moodmiles:")[2].partition("\nservices:")[0]
    logging = "    logging: *logging\n"

    assert 'max-size: 10m\n    max-file: "5"\n' in text
    assert logging[2:] in shared
    assert all(
        logging in lines or "<<: *moodmiles" in lines
        for lines in read_services().values()
    )


def test_compose_knows_our_commands_and_checks() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    ours = {
        name: lines for name, lines in read_services().items() if "*moodmiles" in lines
    }
    commands = {
        " ".join(re.findall(r'"([^"]+)"', line))
        for lines in ours.values()
        for line in re.findall(r"^    command: (.*)$", lines, re.MULTILINE)
    }
    checks = set(re.findall(r'"doctor", ([^\]]*)', text))

    assert commands == {"web", "worker", "beat", "db upgrade"}
    assert commands <= set(list_command_names())
    assert {check.strip('" ') for one in checks for check in one.split(",")} <= {
        *CHECKS
    }


def test_compose_sets_only_what_we_read() -> None:
    text = (ROOT / "docker-compose.yml").read_text()

    assert set(re.findall(r"\bMOODMILES_[A-Z_]+", text)) <= SETTINGS


def test_make_help_explains_every_target() -> None:
    text = (ROOT / "Makefile").read_text()
    [phony] = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)

    listed = subprocess.run(
        ["make", "--no-print-directory", "help"],  # noqa: S607
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    ).stdout

    explained = dict(line.split(maxsplit=1) for line in listed.splitlines())
    assert sorted(explained) == sorted(phony.split())


def test_every_check_can_be_asked_for() -> None:
    findings = run_checks(Settings.model_construct(data_dir=Path()))

    assert [finding.part for finding in findings] == [*CHECKS]


def test_every_file_and_folder_that_a_document_names_exists() -> None:
    # Shows how to add files that are not there.
    documents = {*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")} - {
        ROOT / "CHANGELOG.md",
        ROOT / "docs" / "adding.md",
    }
    named = {
        (document.name, path)
        for document in documents
        for path in re.findall(
            r"(?<![\w/.-])(?:sync|web|workers|host|tests)/[\w/.-]*\w",
            document.read_text(),
        )
    }

    assert ("README.md", "web/webhooks") in named
    assert not {place for place in named if not (ROOT / place[1]).exists()}


def test_each_flow_of_the_architecture_names_at_most_seven_files() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    flows = text.partition("## Five flows")[2].split("### ")[1:]
    files = [set(re.findall(r"`[\w/]*?(\w+\.py)`", flow)) for flow in flows]

    assert [flow.partition("\n")[0] for flow in flows] == [
        "From an event to a run",
        "From a run to a mail",
        "From a tap to an answer",
        "From an answer to a sentence",
        "From a key to a sealed column",
    ]
    assert all(5 <= len(names) <= 7 for names in files)


def test_every_folder_and_module_of_the_core_has_its_place_in_the_map() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    modules = text.partition("## Modules")[2].partition("## ")[0]
    folders = {f"{path.parent.name}/" for path in (ROOT / "sync").glob("*/__init__.py")}
    files = {path.name for path in (ROOT / "sync").glob("*.py")} - {"__init__.py"}

    assert folders
    assert {name for name in folders | files if f"`sync/{name}" not in modules} == set()


def test_every_measure_that_a_document_names_can_be_taken() -> None:
    texts = [path.read_text() for path in (ROOT / "docs").rglob("*.md")]
    named = {
        name for text in texts for name in re.findall(r"python -m ([\w.]+\w)", text)
    }

    assert "tests.lab.bench.intake" in named
    assert all(importlib.util.find_spec(name) for name in named)
