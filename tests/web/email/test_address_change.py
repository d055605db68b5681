"""A change of the address: whose it is, who hears of it, and how it is undone."""

import json
import re
from datetime import timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest
from sqlalchemy import select

from sync.errors import DeletionPending
from sync.models import Consent, Export, LinkAttempt, MailLink, Runner, SignIn
from sync.portability import exports
from sync.portability.pack import pack_export
from sync.runners import (
    address,
    deletion,
    disconnect,
    purge,
    sign_in,
    withdraw_consent,
)
from sync.runners.rules import PROVEN_ADDRESS_AGE
from sync.runtime import Runtime
from sync.vocabulary import (
    ConsentKind,
    MailLinkPurpose,
    RemovalKind,
    SealedColumn,
    SignInMethod,
)
from tests.support.forgery import CONSENT_FIELDS, MOMENT, advance_clock
from tests.support.harness import Harness
from tests.support.outbox_reader import (
    list_recipients,
    read_pending_mail,
    read_pending_token,
)
from tests.sync.runners.test_deletion import begin_removal
from tests.web.conftest import PageClient

FORMER, NEW, NEWEST = "runner1@example.org", "new@example.org", "newest@example.org"


@pytest.fixture
def runner_id(harness: Harness, browser: PageClient) -> int:
    """Sign in a runner whose address is older than a week."""
    runner_id = harness.link_runner(harness.add_athlete())
    harness.advance_clock(days=8)
    browser.sign_in(runner_id)
    return runner_id


def change_address(browser: PageClient, email: str) -> None:
    browser.post("/email", email=email)
    token = read_pending_token(browser.runtime, "confirm_address")
    answer = browser.post(f"/email/confirm/{token}")
    assert "Confirmed." in answer.text


def read_address(runtime: Runtime, runner_id: int) -> str | None:
    with runtime.db.read_only() as session:
        runner = session.get_one(Runner, runner_id)
        return (
            runtime.sealer.open(runner.email, SealedColumn.ADDRESS)
            if runner.email
            else None
        )


def undo(browser: PageClient, token: str | None = None) -> int:
    """Follow the undo link, in this browser; return the status."""
    token = token or read_pending_token(browser.runtime, "address_changed")
    assert "Bring this address back?" in browser.open(f"/address/undo/{token}").text
    return browser.post(f"/address/undo/{token}").status_code


def test_the_mail_and_the_page_name_the_account(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    browser.sign_in(harness.link_runner(harness.add_athlete(), has_address=False))
    with runtime.db.transaction() as session:
        session.scalars(select(SignIn)).one().browser = "Firefox on Linux"

    browser.post("/email", email=NEW)

    mail = read_pending_mail(runtime, "confirm_address")
    page = browser.open(f"/email/confirm/{mail['token']}").text
    assert (mail["runs"], mail["is_linked"]) == (0, True)
    assert mail["browser"] == "Firefox on Linux"
    for fact in ("1 May 2026", "Linked", "Firefox on Linux"):
        assert fact in page


def test_another_browser_needs_the_code_of_the_one_that_asked(
    browser: PageClient, other_browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    asked = browser.post("/email", email=NEW)
    shown = re.search(r"<b>(\d{6})</b>", browser.open(asked.location).text)
    assert shown
    link = f"/email/confirm/{read_pending_token(runtime, 'confirm_address')}"

    page = other_browser.open(link).text
    without = other_browser.post(link)
    wrong = other_browser.post(link, code=f"{(int(shown[1]) + 1) % 10**6:06d}")
    unchanged = read_address(runtime, runner_id)
    right = other_browser.post(link, code=shown[1])

    assert 'name="code"' in page
    assert (without.status_code, wrong.status_code) == (400, 400)
    assert unchanged == FORMER
    assert "Confirmed." in right.text
    assert read_address(runtime, runner_id) == NEW


def test_an_address_never_leaves_another_account(
    browser: PageClient, harness: Harness, runner_id: int, runtime: Runtime
) -> None:
    asker = harness.link_runner(harness.add_athlete(8), has_address=False)
    browser.sign_in(asker)

    asked = browser.post("/email", email=FORMER.upper())

    assert list_recipients(runtime, "address_in_use") == ["RUNNER1@example.org"]
    assert list_recipients(runtime, "confirm_address") == []
    # Whoever asked sees what everybody sees.
    assert re.search(r"<b>\d{6}</b>", browser.open(asked.location).text)
    assert read_address(runtime, runner_id) == FORMER
    assert read_address(runtime, asker) is None


def test_the_askers_own_export_says_the_same_of_any_address(
    browser: PageClient, harness: Harness, runner_id: int, runtime: Runtime
) -> None:
    asker = harness.link_runner(harness.add_athlete(8), has_address=False)
    browser.sign_in(asker)
    for email in (FORMER, "nobody@example.org"):
        browser.post("/email", email=email)

    with ZipFile(BytesIO(pack_export(runtime, asker))) as archive:
        mails = json.loads(archive.read("mails.json"))
        files = {name: archive.read(name).decode() for name in archive.namelist()}

    known, unknown = (
        {key: value for key, value in mail.items() if key not in {"id", "message_id"}}
        for mail in mails
    )
    assert known == unknown
    assert not [name for name, text in files.items() if "address_in_use" in text]


def test_an_address_that_became_anothers_meanwhile_is_refused(
    browser: PageClient, harness: Harness, runner_id: int, runtime: Runtime
) -> None:
    asker = harness.link_runner(harness.add_athlete(8), has_address=False)
    address.request_confirmation(runtime, runner_id=asker, email=NEW)
    link = f"/email/confirm/{read_pending_token(runtime, 'confirm_address')}"
    change_address(browser, NEW)

    refused = browser.post(link)

    assert refused.status_code == 409
    assert "belongs to another account" in refused.text
    assert read_address(runtime, runner_id) == NEW


def test_an_address_just_left_is_kept_from_others_for_a_week(
    browser: PageClient, harness: Harness, runner_id: int, runtime: Runtime
) -> None:
    change_address(browser, NEW)
    asker = harness.link_runner(harness.add_athlete(8), has_address=False)

    address.request_confirmation(runtime, runner_id=asker, email=FORMER)
    early = list_recipients(runtime, "address_in_use")
    advance_clock(harness, PROVEN_ADDRESS_AGE + MOMENT)
    address.request_confirmation(runtime, runner_id=asker, email=FORMER)

    assert runner_id
    assert early == [FORMER]
    assert list_recipients(runtime, "address_in_use") == [FORMER]
    assert FORMER in list_recipients(runtime, "confirm_address")


def test_the_former_address_hears_of_it_and_takes_it_back(
    browser: PageClient, other_browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    change_address(browser, NEW)
    heard = list_recipients(runtime, "address_changed")

    status = undo(other_browser)
    again = other_browser.post(
        f"/address/undo/{read_pending_token(runtime, 'address_changed')}"
    )

    assert heard == [FORMER]
    assert (status, again.status_code) == (200, 410)
    assert read_address(runtime, runner_id) == FORMER
    assert list_recipients(runtime, "address_restored") == [NEW]
    assert browser.open("/dashboard").status_code == 302


def test_looking_at_the_undo_changes_nothing(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    change_address(browser, NEW)

    browser.open(f"/address/undo/{read_pending_token(runtime, 'address_changed')}")

    assert read_address(runtime, runner_id) == NEW


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_the_undo_ends_whatever_was_begun(
    browser: PageClient, runner_id: int, harness: Harness, runtime: Runtime
) -> None:
    change_address(browser, NEW)
    browser.post("/email", email=NEWEST)
    browser.post("/settings/export")
    browser.post("/connect", **CONSENT_FIELDS)
    sign_in.enqueue_sign_in_link(runtime, email=NEW, browser="b")
    link = read_pending_token(runtime, "sign_in_link")
    sign_in.sign_in(runtime, runner_id)
    deletion.request_deletion(runtime, runner_id)

    assert undo(browser) == 200

    with runtime.db.read_only() as session:
        for table in (SignIn, LinkAttempt, Export):
            of_runner = select(table).where(table.runner_id == runner_id)
            assert session.scalars(of_runner).all() == []
        assert session.get_one(Runner, runner_id).erase_at is None
    token = read_pending_token(runtime, "confirm_address")
    assert browser.post(f"/email/confirm/{token}").status_code == 410
    assert sign_in.redeem_sign_in_link(runtime, token=link, browser="b") is None
    assert harness.runtime is runtime


def test_a_disconnection_that_has_just_begun_is_called_off(
    browser: PageClient, runner_id: int, runtime: Runtime, harness: Harness
) -> None:
    change_address(browser, NEW)
    with runtime.db.transaction() as session:
        runner = session.get_one(Runner, runner_id)
        runner.leaving_for = RemovalKind.DISCONNECT
        runner.leaving_since = runtime.db.now(session)

    undo(browser)
    disconnect.process_removals(runtime)
    harness.advance_clock(hours=1)
    disconnect.process_removals(runtime)

    with runtime.db.read_only() as session:
        assert session.get_one(Runner, runner_id).athlete_id == 7


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_disconnection_beside_a_deletion_does_not_cost_the_undo(
    browser: PageClient, runner_id: int, harness: Harness, runtime: Runtime
) -> None:
    change_address(browser, NEW)
    token = read_pending_token(runtime, "address_changed")
    deletion.request_deletion(runtime, runner_id)

    begin_removal(harness, RemovalKind.DELETE)
    too_late = undo(browser, token)
    begin_removal(harness, RemovalKind.DISCONNECT)
    undo(browser, token)

    assert too_late == 410
    assert read_address(runtime, runner_id) == FORMER
    with runtime.db.read_only() as session:
        kept = session.get_one(Runner, runner_id)
        assert (kept.erase_at, kept.leaving_for) == (None, None)


def test_the_first_address_beats_all_that_came_after_it(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    """A thief's own undo must not bring the thief's address back."""
    change_address(browser, NEW)
    first = read_pending_token(runtime, "address_changed")
    change_address(browser, NEWEST)

    told = read_pending_mail(runtime, "address_changed")
    status = undo(browser, first)

    assert list_recipients(runtime, "address_changed") == [FORMER, NEW]
    assert "token" not in told
    assert status == 200
    assert read_address(runtime, runner_id) == FORMER
    # Nothing of what came later holds the owner back, nor is it kept.
    assert list_former(runtime) == []


def test_a_thiefs_new_address_gets_no_undo_from_its_owner(
    browser: PageClient, harness: Harness, runtime: Runtime
) -> None:
    owner = harness.link_runner(harness.add_athlete(), has_address=False)
    browser.sign_in(owner)
    change_address(browser, "thief@example.org")

    change_address(browser, FORMER)

    assert list_recipients(runtime, "address_changed") == ["thief@example.org"]
    assert "token" not in read_pending_mail(runtime, "address_changed")


def test_going_back_by_oneself_needs_no_undo_any_more(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    change_address(browser, NEW)
    token = read_pending_token(runtime, "address_changed")
    change_address(browser, FORMER)

    late = browser.post(f"/address/undo/{token}")

    assert late.status_code == 410
    assert read_address(runtime, runner_id) == FORMER


def test_the_undo_lasts_seven_days_and_then_the_address_is_forgotten(
    browser: PageClient, runner_id: int, harness: Harness, runtime: Runtime
) -> None:
    change_address(browser, NEW)
    token = read_pending_token(runtime, "address_changed")
    advance_clock(harness, PROVEN_ADDRESS_AGE - MOMENT)
    purge.purge_expired(runtime)
    kept = list_former(runtime)
    advance_clock(harness, MOMENT)
    purge.purge_expired(runtime)

    assert (kept, list_former(runtime)) == ([FORMER], [])
    assert browser.post(f"/address/undo/{token}").status_code == 410
    assert read_address(runtime, runner_id) == NEW


def list_former(runtime: Runtime) -> list[str]:
    with runtime.db.read_only() as session:
        sealed = session.scalars(
            select(MailLink.email).where(
                MailLink.purpose == MailLinkPurpose.UNDO_ADDRESS
            )
        ).all()
    return [
        runtime.sealer.open(email, SealedColumn.LINK_ADDRESS)
        for email in sealed
        if email
    ]


def test_an_address_that_was_removed_comes_back_without_its_consent(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    withdraw_consent.withdraw_mail_consent(runtime, runner_id)
    gone = read_address(runtime, runner_id)

    undo(browser)

    with runtime.db.read_only() as session:
        runner = session.get_one(Runner, runner_id)
        assert not runner.preferences.wants_mail
        standing = session.scalars(
            select(Consent.kind).where(
                Consent.runner_id == runner_id, Consent.withdrawn_at.is_(None)
            )
        ).all()
    assert (gone, read_address(runtime, runner_id)) == (None, FORMER)
    assert ConsentKind.MAIL not in standing


def test_an_undo_in_anothers_name_is_not_possible(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    browser.post("/email", email=NEW)
    confirmation = read_pending_token(runtime, "confirm_address")

    assert browser.post(f"/address/undo/{confirmation}").status_code == 410
    assert read_address(runtime, runner_id) == FORMER


def test_receipts_go_to_every_address_of_the_week(
    browser: PageClient, runner_id: int, harness: Harness, runtime: Runtime
) -> None:
    change_address(browser, NEW)

    disconnect.disconnect(runtime, runner_id)
    deletion.request_deletion(runtime, runner_id)
    warned = list_recipients(runtime, "undo")
    disconnect.delete_runner(runtime, runner_id)

    assert warned == [FORMER, NEW]
    assert list_recipients(runtime, "deleted") == [FORMER, NEW]


def test_both_addresses_hear_that_strava_is_disconnected(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    change_address(browser, NEW)

    disconnect.disconnect(runtime, runner_id)

    assert list_recipients(runtime, "disconnected") == [FORMER, NEW]


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_deletion_waits_as_long_as_the_change_can_be_undone(
    browser: PageClient, runner_id: int, harness: Harness, runtime: Runtime
) -> None:
    change_address(browser, NEW)
    harness.advance_clock(days=2)
    browser.sign_in(runner_id)

    browser.post("/settings/delete")

    page = browser.open("/settings/delete").text
    harness.advance_clock(days=4, hours=23)
    disconnect.process_removals(runtime)
    with runtime.db.read_only() as session:
        assert session.get(Runner, runner_id)
    with pytest.raises(DeletionPending):
        address.request_confirmation(runtime, runner_id=runner_id, email=NEWEST)
    harness.advance_clock(hours=2)
    disconnect.process_removals(runtime)
    with runtime.db.read_only() as session:
        assert session.get(Runner, runner_id) is None
    assert "Your address was changed lately," in page


def test_confirmed_offers_to_sign_out_everywhere_else(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    other = sign_in.sign_in(runtime, runner_id)
    browser.post("/email", email=NEW)
    token = read_pending_token(runtime, "confirm_address")

    page = browser.post(f"/email/confirm/{token}").text
    answer = browser.post("/settings/sign-ins", others="1")

    assert 'name="others"' in page
    assert answer.location.startswith("/settings/sign-ins")
    assert sign_in.find_signed_in(runtime, other) is None


def test_a_runner_by_mail_alone_signs_the_others_out_after_a_change(
    browser: PageClient, runner_id: int, harness: Harness, runtime: Runtime
) -> None:
    disconnect.disconnect(runtime, runner_id)
    token = sign_in.sign_in(runtime, runner_id, method=SignInMethod.MAIL)
    browser.client.set_cookie("moodmiles", token, domain="127.0.0.1")
    change_address(browser, NEW)
    at_once = browser.post("/settings/sign-ins", others="1")
    advance_clock(harness, timedelta(hours=1))
    token = sign_in.sign_in(runtime, runner_id, method=SignInMethod.MAIL)
    browser.client.set_cookie("moodmiles", token, domain="127.0.0.1")

    later = browser.post("/settings/sign-ins", others="1")
    export = browser.post("/settings/export")

    assert at_once.location.startswith("/settings/sign-ins")
    assert later.location.startswith("/settings/sign-ins")
    assert export.location.startswith("/login/again")


def test_each_change_of_a_way_in_leaves_a_line(
    browser: PageClient,
    runner_id: int,
    runtime: Runtime,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change_address(browser, NEW)
    undo(browser)
    browser.sign_in(runner_id)
    browser.post("/settings/export")
    exports.process_due(runtime)
    browser.open("/settings/export/moodmiles.zip")
    browser.post("/settings/sign-ins", others="1")
    browser.post("/settings/consents/mail")
    browser.post("/settings/disconnect")
    browser.post("/settings/delete")
    browser.post("/logout")

    lines = capsys.readouterr().out
    for line in (
        "address asked for",
        "address confirmed",
        "address left",
        "address change undone",
        "export asked for",
        "export fetched",
        "other browsers signed out",
        "consent withdrawn",
        "runner disconnected",
        "deletion asked for",
        "signed out",
    ):
        assert line in lines, line
    for secret in (FORMER, NEW, "example.org"):
        assert secret not in lines
