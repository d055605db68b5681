"""A link in a mail, without a sign-in, can only ask for less.

Every address that a link opens is placed here: what it may change, and nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from sync.models import Consent, Runner
from sync.preferences import SWITCHES_FOR_MORE, Preferences, list_less
from sync.runners import deletion, inactivity, preferences
from sync.runners.preferences import AsksMore, reduce_preferences
from sync.runtime import Runtime
from sync.surveys import unsubscribe
from sync.surveys.answering import pre_run
from sync.vocabulary import AskFrequency
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.support.page_fixtures import build_fresh_run
from tests.support.route_access import get_access
from tests.web.conftest import PageClient

# What a hostile reader of a mail would like to have.
REQUESTS: Mapping[str, str] = {
    "ask": "every-run",
    "pause": "",
    "delay_min": "0",
    "quiet_from": "00:00",
    "quiet_until": "00:01",
    "focus": "clarity",
    "checkin_focus": "confidence",
    "units": "mi",
    "zone": "Asia/Tokyo",
    "language": "de",
    "email": "thief@example.org",
    "mail": "1",
    "private": "1",
    "strava": "1",
    "mood": "3",
    "keep": "1",
    "note": "Seen in somebody else's mail",
    **dict.fromkeys(
        (
            "reminders",
            "checkins",
            "digest",
            "ask_manual",
            "distance_in_mail",
            "stress",
            "before",
            "context",
            "wellbeing",
        ),
        "1",
    ),
}


@dataclass(frozen=True)
class MailReader:
    """Somebody who reads a runner's mails, after the runner has stopped them."""

    runtime: Runtime
    runner_id: int
    survey_token: str

    def link(self, name: str) -> str:
        return LINKS[name](self)

    def open_undo(self) -> str:
        deletion.request_deletion(self.runtime, self.runner_id)
        return f"/undo/{read_pending_token(self.runtime, 'undo')}"

    def open_stay(self) -> str:
        with self.runtime.db.transaction() as session:
            runner = session.get_one(Runner, self.runner_id)
            now = self.runtime.db.now(session)
            inactivity.warn_runner(self.runtime, session, runner, now=now)
        return f"/stay/{read_pending_token(self.runtime, 'inactive')}"

    @property
    def stop_link(self) -> str:
        return f"/u/{unsubscribe.create_token(self.runtime, self.runner_id)}"

    def read_state(self) -> dict[str, Any]:
        """Return what was agreed to, and how and where this runner is asked."""
        with self.runtime.db.read_only() as session:
            runner = session.get_one(Runner, self.runner_id)
            consents = session.execute(
                select(Consent.kind, Consent.version, Consent.withdrawn_at).where(
                    Consent.runner_id == self.runner_id
                )
            ).all()
            return {
                "preferences": runner.preferences.to_stored(),
                "zone": runner.zone,
                "address": (runner.email_hash, runner.email_bounced_at),
                "athlete": runner.athlete_id,
                "consents": sorted(map(repr, consents)),
            }


LINKS: Mapping[str, Callable[[MailReader], str]] = {
    "unsubscribe.stop": lambda reader: reader.stop_link,
    "unsubscribe.stop (one kind)": lambda reader: f"{reader.stop_link}?only=checkins",
    "unsubscribe.save_settings": lambda reader: f"{reader.stop_link}/settings",
    "pre_run.record": lambda reader: (
        f"/before/{pre_run.create_token(reader.runtime, reader.runner_id)}"
    ),
    "account_links.confirm (undo)": MailReader.open_undo,
    "account_links.confirm (stay)": MailReader.open_stay,
    "survey.keep_note": lambda reader: f"/s/{reader.survey_token}/note",
    "survey.record": lambda reader: f"/s/{reader.survey_token}",
    "survey.retain": lambda reader: f"/s/{reader.survey_token}/own-log",
    "survey.skip": lambda reader: f"/s/{reader.survey_token}/skip",
}
# These change a way in, each by rules of its own: tests/web/email, tests/web/login.
ELSEWHERE = {"email.confirm", "email.undo", "login.redeem"}


@pytest.fixture
def mail_reader(harness: Harness) -> MailReader:
    """Link a runner who was asked once, switched all off, and stopped the mails."""
    runtime = harness.runtime
    runner_id, _ = build_fresh_run(harness)
    token = read_pending_token(runtime)
    preferences.save_preferences(
        runtime, runner_id, dict.fromkeys(SWITCHES_FOR_MORE, False)
    )
    unsubscribe.stop_all_mails(runtime, unsubscribe.create_token(runtime, runner_id))
    return MailReader(runtime, runner_id, token)


def test_every_link_is_tried(browser: PageClient) -> None:
    by_link = {
        rule.endpoint
        for rule in browser.client.application.url_map.iter_rules()
        if "POST" in (rule.methods or set()) and get_access(rule.endpoint) == "link"
    }

    assert by_link == {name.partition(" ")[0] for name in LINKS} | ELSEWHERE


@pytest.mark.parametrize("name", LINKS)
def test_a_link_gives_no_consent_and_asks_for_no_more(
    browser: PageClient, mail_reader: MailReader, name: str
) -> None:
    path = mail_reader.link(name)
    before = mail_reader.read_state()

    bare_path, _, query = path.partition("?")
    opened = browser.open(f"{bare_path}?{urlencode(REQUESTS)}&{query}")
    sent = browser.post(path, **REQUESTS)

    assert mail_reader.read_state() == before
    assert max(opened.status_code, sent.status_code) < 500


@pytest.mark.parametrize("name", LINKS)
def test_a_link_shows_no_name_address_or_earlier_answer(
    browser: PageClient, mail_reader: MailReader, name: str
) -> None:
    path = mail_reader.link(name)

    page = browser.open(path).text

    for mark in ("example.org", "8.2\N{NO-BREAK SPACE}km", "8.2 km", "Ada"):
        assert mark not in page, mark


@pytest.mark.parametrize("ask", ["every-run", "every-other-run", "weekly", "long-runs"])
def test_an_older_mail_that_offers_more_leads_to_a_sign_in(
    browser: PageClient, mail_reader: MailReader, ask: str
) -> None:
    answer = browser.open(f"{mail_reader.stop_link}/settings?ask={ask}")

    assert answer.location == f"/settings?ask={ask}"
    assert browser.open(answer.location).location.startswith("/login?next=")


@pytest.mark.parametrize("current", AskFrequency)
@pytest.mark.parametrize("wish", AskFrequency)
def test_how_often_only_ever_becomes_less(
    harness: Harness, current: AskFrequency, wish: AskFrequency
) -> None:
    runner_id = harness.link_runner(harness.add_athlete())
    preferences.save_preferences(harness.runtime, runner_id, {"ask": current})

    if wish == current or wish in list_less(current):
        reduce_preferences(harness.runtime, runner_id, {"ask": wish})
    else:
        with pytest.raises(AsksMore):
            reduce_preferences(harness.runtime, runner_id, {"ask": wish})
        wish = current

    assert preferences.load_preferences(harness.runtime, runner_id).ask is wish


def test_the_frequencies_are_in_an_order() -> None:
    for more in AskFrequency:
        for less in list_less(more):
            assert more not in list_less(less)
            assert set(list_less(less)) <= set(list_less(more))


@pytest.mark.parametrize("name", sorted(set(Preferences.model_fields) - {"ask"}))
def test_no_other_setting_asks_for_more(harness: Harness, name: str) -> None:
    now = harness.clock()
    other = Preferences()
    values: dict[str, Any] = {
        "paused_until": now,
        "focus_since": now,
        "slowed_at": now,
        "delay_min": 60,
        "quiet_from": "23:00",
        "quiet_until": "05:00",
        "focus": "clarity",
        "checkin_focus": "control",
        "units": "mi",
        "week_starts": "sunday",
        "language": "de",
        "country": "DE",
        "long_run_m": 1.0,
    }
    current = getattr(other, name)
    changed = other.with_changes(**{name: values.get(name, not current)})

    if name == "paused_until":
        assert changed.asks_no_more_than(other)
        assert not other.asks_no_more_than(changed)
    elif isinstance(current, bool):
        more, less = (other, changed) if current else (changed, other)
        assert not more.asks_no_more_than(less)
        assert less.asks_no_more_than(more) == (name in SWITCHES_FOR_MORE)
    else:
        assert not changed.asks_no_more_than(other)


def test_a_pause_is_made_longer_and_not_shorter(
    browser: PageClient, harness: Harness
) -> None:
    runtime = harness.runtime
    runner_id = harness.link_runner(harness.add_athlete())
    link = f"/u/{unsubscribe.create_token(runtime, runner_id)}/settings"

    def send(days: str) -> int:
        return browser.client.post(link, data={"pause": days}).status_code

    codes = [send("7"), send("30"), send("7"), send(""), send("keep")]

    paused_until = preferences.load_preferences(runtime, runner_id).paused_until
    assert codes == [303, 303, 400, 400, 303]
    assert paused_until is not None
    assert (paused_until - harness.clock()).days == 30


def test_a_mail_stops_even_while_a_text_waits_to_be_agreed_to(
    browser: PageClient, harness: Harness
) -> None:
    runtime = harness.runtime
    runner_id = harness.link_runner(harness.add_athlete())
    with runtime.db.transaction() as session:
        for consent in session.scalars(select(Consent)):
            consent.version = "2025-01"
    link = f"/u/{unsubscribe.create_token(runtime, runner_id)}"

    answer = browser.client.post(f"{link}?only=checkins")

    assert answer.status_code == 200
    assert not preferences.load_preferences(runtime, runner_id).checkins
