"""A new version of what was agreed to asks again before anything is collected."""

import os
import re
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, update

from sync.consent_version import VERSION
from sync.models import Consent, Mail, Run, Runner
from sync.runners import address, consents
from sync.runs import reconcile
from sync.runtime import Runtime
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.support.page_fixtures import build_fresh_run
from tests.sync.runners.test_disconnect import count_rows
from tests.web.conftest import PageClient

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parent / "golden"
OLDER = "2025-01"
ALL = {"strava": 1, "mood": 1, "adult": 1, "mail": 1}


def outdate_consent_text(runtime: Runtime) -> None:
    """Make what everybody agreed to an older text than today's."""
    with runtime.db.transaction() as session:
        session.execute(update(Consent).values(version=OLDER))


@pytest.fixture
def runner_with_old_consent(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> int:
    """Sign in a runner with a fresh, unanswered run, who agreed to an older text."""
    runner_id, _ = build_fresh_run(harness)
    browser.sign_in(runner_id)
    outdate_consent_text(runtime)
    return runner_id


@pytest.mark.parametrize("path", ["/dashboard", "/email", "/wellbeing"])
def test_pages_ask_first_and_lead_on_afterwards(
    browser: PageClient, runner_with_old_consent: int, path: str
) -> None:
    asked = browser.open(path)
    page = browser.open(asked.location).text

    agreed = browser.post("/settings/consents", **ALL)

    assert asked.location == "/settings/consents"
    assert page.count('type="checkbox"') == 4
    assert " checked" not in page
    assert "I am 18 or older." in page
    assert agreed.location == path
    assert browser.open(path).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/settings",
        "/settings/export",
        "/settings/disconnect",
        "/settings/delete",
        "/settings/sign-ins",
        "/settings/consents/mood",
        "/settings/consents/mail",
        "/settings/consents/private",
    ],
)
def test_taking_out_taking_back_and_leaving_never_wait(
    browser: PageClient, runner_with_old_consent: int, path: str
) -> None:
    page = browser.open(path)

    assert page.status_code == 200
    assert 'href="/settings/consents">Read it' in page.text


@pytest.mark.parametrize("missing", ALL)
def test_every_box_is_needed_or_taken_back(
    browser: PageClient, runner_with_old_consent: int, runtime: Runtime, missing: str
) -> None:
    ticked = {kind: 1 for kind in ALL if kind != missing}

    refused = browser.post("/settings/consents", **ticked)

    assert refused.status_code == 400
    assert "A box is still empty." in refused.text
    assert refused.text.count(" checked") == len(ticked)
    assert set(consents.load_outdated(runtime, runner_with_old_consent)) == set(ALL)


def test_what_is_taken_back_need_not_be_agreed_to(
    browser: PageClient, runner_with_old_consent: int, runtime: Runtime
) -> None:
    browser.post("/settings/consents/mail")

    browser.post("/settings/consents", strava=1, mood=1, adult=1)

    assert consents.load_outdated(runtime, runner_with_old_consent) == {}
    with runtime.db.read_only() as session:
        standing = select(Consent.kind, Consent.version).where(
            Consent.withdrawn_at.is_(None), Consent.version == VERSION
        )
        assert {kind for kind, _ in session.execute(standing)} == {
            "strava",
            "mood",
            "adult",
        }


def test_private_runs_need_not_be_agreed_to_and_go_without(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    athlete = harness.add_athlete()
    private = harness.finish_run(athlete, ended_minutes_ago=90, visibility="only_me")
    harness.finish_run(athlete, ended_minutes_ago=30)
    browser.sign_in(
        runner_id := harness.link_runner(athlete, scope="read,activity:read_all")
    )
    with runtime.db.transaction() as session:
        given = {
            "runner_id": runner_id,
            "version": VERSION,
            "given_at": harness.clock(),
        }
        session.add(Consent(kind="private", **given))
    harness.process_all_due()
    early = count_rows(harness, Run)
    outdate_consent_text(runtime)
    page = browser.open("/settings/consents").text

    agreed = browser.post("/settings/consents", **ALL)
    at_once = count_rows(harness, Run)
    harness.deliver_event(athlete, private.id, "create")
    for drain in (harness.process_all_due, partial(reconcile.process_due, runtime)):
        drain()

    assert "You need not tick this one" in page
    assert agreed.status_code == 303
    assert (early, at_once, count_rows(harness, Run)) == (2, 1, 1)
    assert consents.load_outdated(runtime, runner_id) == {}
    with runtime.db.read_only() as session:
        taken_back = select(Consent.withdrawn_at).where(Consent.kind == "private")
        assert session.scalars(taken_back).all() == [harness.clock()]


def test_the_history_keeps_both_texts(
    browser: PageClient, runner_with_old_consent: int
) -> None:
    browser.post("/settings/consents", **ALL)

    page = browser.open("/settings").text

    assert page.count(f"<td>{OLDER}</td>") == 4
    assert page.count(f"<td>{VERSION}</td>") == 4


def test_a_link_to_confirm_an_address_needs_no_new_text(
    runner_with_old_consent: int, runtime: Runtime
) -> None:
    address.request_confirmation(
        runtime, runner_id=runner_with_old_consent, email="new@example.org"
    )
    token = read_pending_token(runtime, "confirm_address")

    assert address.confirm_address(runtime, token=token) == runner_with_old_consent

    assert "strava" in consents.load_outdated(runtime, runner_with_old_consent)


def test_a_signed_in_browser_reads_first_and_names_its_address_then(
    browser: PageClient, runner_with_old_consent: int, harness: Harness
) -> None:
    mails = count_rows(harness, Mail)

    refused = browser.post("/email", email="new@example.org")

    assert refused.location == "/settings/consents"
    assert count_rows(harness, Mail) == mails


def test_programs_are_told_in_json(
    browser: PageClient, runner_with_old_consent: int
) -> None:
    answered = browser.open("/dashboard/data.json")

    assert (answered.status_code, answered.json) == (
        403,
        {"error": "There is a new text."},
    )


def test_the_text_of_a_version_never_changes(browser: PageClient) -> None:
    """Who changes a box's words makes a new version, and keeps the older text."""
    page = browser.open("/connect").text
    boxes = re.findall(r'<label class="check">.*?</label>', page, re.DOTALL)
    said = "\n".join(re.sub(r"<[^>]+>", " ", box).strip() for box in boxes)

    kept = GOLDEN / f"agreed_to_{VERSION}.txt"
    if os.environ.get("UPDATE_GOLDEN") and not kept.exists():
        kept.write_text(f"{said}\n")

    assert f"{said}\n" == kept.read_text()


def test_nobody_is_asked_while_the_text_is_the_same(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    assert consents.load_outdated(runtime, runner_id) == {}
    assert browser.open("/settings/consents").location == "/settings#consents"
    assert browser.open("/dashboard").status_code == 200
    with runtime.db.read_only() as session:
        assert session.get(Runner, runner_id) is not None
