"""Giving an address, confirming it by a link, and stopping the mails."""

import pytest

from sync.models import Runner
from sync.runners import account
from sync.runtime import Runtime
from sync.surveys import unsubscribe
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.web.conftest import PageClient


@pytest.fixture
def runner_without_address(harness: Harness, browser: PageClient) -> int:
    """Sign in a runner who has given no address yet."""
    runner_id = harness.link_runner(harness.add_athlete(), has_address=False)
    browser.sign_in(runner_id)
    return runner_id


def test_an_address_is_confirmed_by_its_link(
    browser: PageClient, runner_without_address: int, runtime: Runtime
) -> None:
    asked = browser.post("/email", email="ada@example.org")
    link = f"/email/confirm/{read_pending_token(runtime, 'confirm_address')}"
    looked = browser.open(link)
    before = account.load_overview(runtime, runner_without_address).email_confirmed
    confirmed = browser.post(link)

    after = account.load_overview(runtime, runner_without_address)
    assert "Look into your mail." in browser.open(asked.location).text
    assert "Confirm this address" in looked.text
    assert not before
    assert "Confirmed." in confirmed.text
    assert (after.email, after.email_confirmed) == ("ada@example.org", True)


def test_a_used_link_says_so(
    browser: PageClient, runner_without_address: int, runtime: Runtime
) -> None:
    browser.post("/email", email="ada@example.org")
    link = f"/email/confirm/{read_pending_token(runtime, 'confirm_address')}"
    browser.post(link)

    again = browser.post(link)

    assert again.status_code == 410
    assert "This link no longer works." in again.text


@pytest.mark.usefixtures("runner_without_address")
@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "ada@",
        "a b@example.org",
        "a@b\nBcc: c@d.example",
        "ä@ö.example",
        "a\x00b@example.org",
        "a(b@example.org",
        "a@exa\x1bmple.org",
        "ada@-.org",
    ],
)
def test_what_is_no_address_is_asked_for_again(browser: PageClient, email: str) -> None:
    answer = browser.post("/email", email=email)

    assert answer.status_code == 400
    assert "does not look like an e-mail address" in answer.text


@pytest.mark.usefixtures("runner_without_address")
@pytest.mark.parametrize("email", ["o'brien@example.org", "Ada+run@a-b.example.org"])
def test_what_mail_servers_take_for_an_address_is_one(
    browser: PageClient, email: str
) -> None:
    assert browser.post("/email", email=email).status_code == 303


def test_an_international_host_is_kept_as_mail_servers_know_it(
    browser: PageClient, runner_without_address: int, runtime: Runtime
) -> None:
    browser.post("/email", email="sam@läufer.example")
    browser.post(f"/email/confirm/{read_pending_token(runtime, 'confirm_address')}")

    overview = account.load_overview(runtime, runner_without_address)
    assert overview.email == "sam@xn--lufer-gra.example"


def test_one_click_stops_the_mails(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    link = f"/u/{unsubscribe.create_token(runtime, runner_id)}"
    browser.client.delete_cookie("moodmiles", domain="127.0.0.1")

    looked = browser.open(link)
    asking = read_preference(runtime, runner_id)
    clicked = browser.client.post(link, data={"List-Unsubscribe": "One-Click"})

    assert looked.status_code == 200
    assert asking != "never"
    assert (clicked.status_code, clicked.data) == (200, b"")
    assert read_preference(runtime, runner_id) == "never"


def test_a_person_who_stops_the_mails_sees_a_page(
    browser: PageClient, runner_id: int, runtime: Runtime
) -> None:
    link = f"/u/{unsubscribe.create_token(runtime, runner_id)}"

    answer = browser.client.post(link)

    assert "No more emails." in answer.text


@pytest.mark.parametrize("token", ["1-0000", "x", "99999999999999999999-0", "1", "-"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_invented_stop_link_finds_nothing(
    browser: PageClient, token: str, method: str
) -> None:
    answer = browser.client.open(f"/u/{token}", method=method)

    assert answer.status_code == 404


def read_preference(runtime: Runtime, runner_id: int) -> str:
    with runtime.db.read_only() as session:
        preferences = session.get_one(Runner, runner_id).preferences
    return preferences.ask
