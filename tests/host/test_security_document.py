"""The security document is complete, and leads where it says."""

import re

import pytest

from tests.support.paths import ROOT

TEXT = (ROOT / "docs" / "security.md").read_text()
ROW = re.compile(r"^\| (\d+)\.(\d+)\.(\d+) \| (.+) \| (.+) \|$", re.MULTILINE)
# How many requirements of levels 1 and 2 each chapter of ASVS 5.0.0 has.
CHAPTERS = dict(
    enumerate((27, 11, 19, 10, 9, 35, 18, 7, 7, 29, 14, 9, 13, 9, 13, 16, 7), start=1)
)


def section(title: str) -> str:
    return TEXT.partition(f"\n### {title}\n")[2].partition("\n### ")[0]


def test_every_requirement_has_its_line_once() -> None:
    requirements = [tuple(map(int, row[:3])) for row in ROW.findall(TEXT)]

    assert len(requirements) == len(set(requirements)) == sum(CHAPTERS.values())
    assert {
        number: sum(requirement[0] == number for requirement in requirements)
        for number in CHAPTERS
    } == CHAPTERS


def test_what_is_not_met_comes_first_and_is_counted() -> None:
    titles = ("Not met", "Met", "Not applicable")
    counts = [len(ROW.findall(section(title))) for title in titles]

    assert re.findall(r"^### (.*)$", TEXT, re.MULTILINE) == [*titles]
    assert (
        f"{counts[0]} are not met, {counts[1]} are met, {counts[2]} do not apply."
        in TEXT
    )


@pytest.mark.parametrize(
    "path",
    sorted(set(re.findall(r"`((?:sync|web|workers|host|tests)/[\w./-]+)`", TEXT))),
)
def test_every_place_named_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("name", ["security.md", "../SECURITY.md"])
def test_every_link_leads_to_a_document(name: str) -> None:
    page = ROOT / "docs" / name
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text())

    assert links
    assert [link for link in links if not (page.parent / link).exists()] == []
