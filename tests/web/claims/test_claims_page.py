"""The page of the claims says what the panels say, and leads to what is behind it."""

import csv
import re
from html import unescape

import pytest

from sync.analytics.claims import CLAIMS
from sync.runners import preferences
from tests.support.harness import Harness
from tests.support.page_fixtures import STATES, build_answered, build_claims
from tests.web.conftest import PageClient
from web.claims.views import COLUMNS

LINE = re.compile(
    r'(?s)<li class="claim [^"]*">(.*?)</li>\s*(?=<li class="claim|</ol>)'
)
LINK = re.compile(r'href="([^"]*)"')
LISTED = re.compile(r"<caption>\s*([\d,]+) runs? of [\d,]+")


def read_lines(page: str) -> list[str]:
    return [unescape(line) for line in LINE.findall(page)]


def read_rows(browser: PageClient, path: str = "/claims.csv") -> list[dict[str, str]]:
    return list(csv.DictReader(browser.open(path).text.splitlines()))


@pytest.fixture
def runner_id(harness: Harness, browser: PageClient) -> int:
    runner_id = build_claims(harness, 70).runner_id or 0
    browser.sign_in(runner_id)
    return runner_id


@pytest.mark.parametrize("state", ["claims-0", "claims-3", "claims-20", "claims-500"])
def test_every_claim_has_its_line_in_the_articles_order(
    browser: PageClient, harness: Harness, state: str
) -> None:
    browser.sign_in(STATES[state](harness).runner_id or 0)

    lines = read_lines(browser.open("/claims").text)

    assert len(lines) == len(CLAIMS)
    for claim, line in zip(CLAIMS, lines, strict=True):
        assert claim.text in line
        assert 'class="chip' in line
        assert ("cannot" in line or "nobody can" in line) or claim.is_testable


@pytest.mark.usefixtures("runner_id")
def test_a_line_says_just_what_its_panel_says_elsewhere(browser: PageClient) -> None:
    lines = dict(enumerate(read_lines(browser.open("/claims").text), 1))
    rows = read_rows(browser)
    by_title = {
        row["question"]: row for row in read_rows(browser, "/dashboard/panels.csv")
    }

    assert len(rows) >= len(CLAIMS)
    for row in rows:
        panel = by_title.get(row["title"])
        if panel is None:
            continue
        names = ("sentence", "answers", "low", "high", "words_low", "words_high")
        if panel["low"] or not row["low"]:
            assert [row[name] for name in names] == [panel[name] for name in names]
        page = unescape(browser.open(f"/questions/{row['question']}").text)
        assert row["sentence"] in page
    main_rows = {int(row["claim"]): row for row in reversed(rows)}
    for number, row in main_rows.items():
        if row["answer"] in {"clear", "no clear link so far"}:
            assert row["sentence"] in lines[number]


@pytest.mark.usefixtures("runner_id")
def test_each_way_leads_to_as_many_runs_as_it_names(browser: PageClient) -> None:
    page = browser.open("/claims").text
    links = re.findall(r'href="(/dashboard\?group=[^"]*)#all-runs"[^>]*>([^<]*)', page)

    assert len(links) > 10
    for address, text in links:
        number = re.search(r"[\d,]+", text)
        listed = LISTED.search(browser.open(unescape(address)).text)
        assert number
        assert listed
        assert listed[1] == number[0], (address, text)


@pytest.mark.usefixtures("runner_id")
def test_each_picture_is_there(browser: PageClient) -> None:
    pictures = set(re.findall(r'href="(/questions/\w+)"', browser.open("/claims").text))

    assert len(pictures) > 20
    for address in pictures:
        page = browser.open(address)
        assert page.status_code == 200
        assert "You have not been asked this yet." not in page.text


def test_what_was_never_asked_leads_to_its_setting(
    browser: PageClient, harness: Harness
) -> None:
    runner_id = build_answered(harness, 20).runner_id or 0
    browser.sign_in(runner_id)
    preferences.save_preferences(
        harness.runtime, runner_id, {"checkins": False, "context": False}
    )

    lines = read_lines(browser.open("/claims").text)
    addresses = {href for line in lines for href in LINK.findall(line)}
    settings = browser.open("/settings").text

    assert "You have not been asked yet" in lines[0]
    assert 'href="/settings#checkins"' in lines[0]
    ways = {address for address in addresses if address.startswith("/settings#")}
    assert ways == {
        f"/settings#{name}"
        for name in ("checkins", "context", "focus", "checkin-focus")
    }
    for way in ways:
        assert f'id="{way.partition("#")[2]}"' in settings


def test_few_answers_are_counted_towards_thirty(
    browser: PageClient, harness: Harness
) -> None:
    browser.sign_in(build_answered(harness, 20).runner_id or 0)

    lines = read_lines(browser.open("/claims").text)

    assert "20 of 30 answers" in lines[2]
    assert "20 of 30 runs" in lines[7]
    assert "0 of 15 answers on the smaller side" in lines[0]


@pytest.mark.usefixtures("runner_id")
def test_what_is_medical_is_named_with_the_reason(browser: PageClient) -> None:
    lines = read_lines(browser.open("/claims").text)

    for claim, line in zip(CLAIMS, lines, strict=True):
        assert (claim.reason in line) == bool(claim.reason) or claim.is_testable
        assert ("Not testable on one person" in line) == (not claim.is_testable)


@pytest.mark.usefixtures("runner_id")
def test_it_is_told_in_the_readers_language(browser: PageClient) -> None:
    page = browser.client.get("/claims", headers={"Accept-Language": "de"}).text

    assert "Ein Lauf macht den Kopf klar." in unescape(page)
    assert "No clear" not in page.split("<main")[1]


@pytest.mark.usefixtures("runner_id")
def test_the_file_holds_every_panel_of_every_claim_in_english(
    browser: PageClient,
) -> None:
    rows = read_rows(browser)
    german = browser.client.get("/claims.csv", headers={"Accept-Language": "de"}).text

    assert list(rows[0]) == list(COLUMNS)
    assert {int(row["claim"]) for row in rows} == {claim.number for claim in CLAIMS}
    for claim in CLAIMS:
        own = [row for row in rows if int(row["claim"]) == claim.number]
        assert [row["question"] for row in own if row["question"]] == list(claim.panels)
        assert own[0]["reason"] == claim.reason
    assert german == browser.open("/claims.csv").text


def test_the_tag_of_the_file_changes_with_what_is_asked(
    browser: PageClient, harness: Harness, runner_id: int
) -> None:
    first = browser.open("/claims.csv").headers["ETag"]
    known = browser.client.get("/claims.csv", headers={"If-None-Match": first})
    preferences.save_preferences(harness.runtime, runner_id, {"stress": False})
    changed = browser.client.get("/claims.csv", headers={"If-None-Match": first})

    assert known.status_code == 304
    assert changed.status_code == 200


@pytest.mark.usefixtures("runner_id")
def test_the_dashboard_leads_there(browser: PageClient) -> None:
    hero = browser.open("/dashboard").text.partition('class="figures')[0]

    assert 'href="/claims"' in hero


def test_the_start_page_says_that_this_is_what_one_gets(browser: PageClient) -> None:
    page = unescape(browser.open("/").text)

    assert "What is said about running, checked on you" in page
    assert "An example with made-up data:" in page
    assert page.count('class="chip') == 4


@pytest.mark.parametrize("path", ["/claims", "/claims.csv"])
def test_nobody_sees_it_without_signing_in(browser: PageClient, path: str) -> None:
    assert browser.open(path).status_code in {302, 303}


@pytest.mark.usefixtures("runner_id")
def test_it_is_compressed_as_it_repeats_nothing_of_a_visitors(
    browser: PageClient,
) -> None:
    packed = browser.client.get(
        "/claims?group=guess&lang=guess", headers={"Accept-Encoding": "gzip"}
    )
    plain = browser.open("/claims?group=guess&lang=guess")

    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(plain.data) / 3
    assert "guess" not in plain.text
