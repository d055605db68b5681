"""Every form, sent at once and overtaken at each of its writes: nobody sees an error.

New views are covered as soon as a state shows their form: see `FORM_STATES`.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
from flask import Flask

from sync.runtime import Runtime
from tests.faults.race_stage import RacingBrowser, run_at_once
from tests.support.export_fixtures import with_retention_limit
from tests.support.harness import Harness
from tests.support.html_forms import HtmlForm, read_forms
from tests.support.lost_races import LockOrder, LostRaces
from tests.support.page_fixtures import STATES, STRICT
from web.app import create_app

# One state for each form that there is.
FORM_STATES = (
    "address",
    "agree-again-private",
    "before",
    "consent",
    "delete",
    "disconnect",
    "export",
    "give-private",
    "going",
    "keep",
    "confirm",
    "sign-in-again",
    "sign-in-again-any",
    "undo-address",
    "low-answers",
    "notes",
    "run-kept",
    "run-remove",
    "run-twice-recorded",
    "settings",
    "settings-from-mail",
    "sign-in",
    "sign-in-link",
    "sign-ins",
    "stay",
    "stop",
    "stop-check-ins",
    "survey",
    "survey-offered",
    "take-back-mail",
    "take-back-mood",
    "take-back-private",
    "to-answer",
    "wellbeing",
)
# Strava calls the one, and files hold the mails that the other clears.
WITHOUT_FORM = {"webhooks", "mailbox"}
ADDRESS_FIELD, ADDRESS = "email", "ada@example.org"

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    return create_app(runtime)


@pytest.fixture
def lost_races(runtime: Runtime) -> Iterator[LostRaces]:
    with LostRaces.install(runtime.db.engine) as lost_races:
        yield lost_races


@pytest.fixture
def lock_order(runtime: Runtime) -> Iterator[LockOrder]:
    with LockOrder.watch(runtime.db.engine) as lock_order:
        yield lock_order


def read_state(
    state: str, harness: Harness, app: Flask
) -> tuple[RacingBrowser, list[HtmlForm]]:
    """Build a state; return its runner's browser and the forms of its page."""
    fixture = STATES[state](harness)
    browser = RacingBrowser.open(app, harness.runtime, fixture.runner_id)
    page = browser.client.get(fixture.path, follow_redirects=True).text
    forms = [form for form in read_forms(page, fixture.path) if form.method == "POST"]
    return browser, sorted(forms, key=lambda form: "logout" in form.path)


def fill(form: HtmlForm) -> dict[str, str]:
    return form.fields | (
        {ADDRESS_FIELD: ADDRESS} if ADDRESS_FIELD in form.fields else {}
    )


@pytest.mark.parametrize("state", FORM_STATES)
def test_a_form_that_is_overtaken_is_taken_all_the_same(
    state: str,
    harness: Harness,
    app: Flask,
    lost_races: LostRaces,
    lock_order: LockOrder,
) -> None:
    browser, forms = read_state(state, harness, app)

    assert forms
    for form in forms:
        with lost_races.lose():
            status = browser.post(form.path, **fill(form))
        assert status < 500, form
    assert lock_order.violations == []


@pytest.mark.parametrize("state", FORM_STATES)
def test_a_form_that_is_sent_four_times_at_once_is_no_error(
    state: str, harness: Harness, app: Flask
) -> None:
    browser, forms = read_state(state, harness, app)

    for form in forms:
        tabs = [browser.copy_cookies(app) for _ in range(4)]
        outcomes = run_at_once(
            [partial(tab.post, form.path, **fill(form)) for tab in tabs]
        )
        assert [str(one) for one in outcomes if one.is_failure] == [], form


def test_every_form_is_among_these_states(harness: Harness) -> None:
    limited = replace(harness, runtime=with_retention_limit(harness.runtime))
    app = create_app(limited.runtime)
    urls = app.url_map.bind("127.0.0.1:8000")
    covered = {
        urls.match(form.path.partition("?")[0], method="POST")[0]
        for state in FORM_STATES
        for form in read_state(state, limited if state in STRICT else harness, app)[1]
    }

    missing = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ())
        and rule.endpoint not in covered
        and rule.endpoint.partition(".")[0] not in WITHOUT_FORM
    }
    assert missing == set(), (
        "Name a state with their form in FORM_STATES, so that it is tried what happens "
        "when two send it at once."
    )
