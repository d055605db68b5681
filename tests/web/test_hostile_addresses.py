"""No address of the URL map breaks, whatever stands in it, its query or its headers."""

from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.harness import Harness
from tests.support.route_access import RouteAddress, list_addresses
from tests.support.two_runners import add_full_runner
from tests.web.conftest import PageClient
from web.http.limit_counters import RateLimiter
from web.http.limits import EXTENSION_KEY

pytestmark = pytest.mark.slow

Values: TypeAlias = dict[str, str]

# What parsers of addresses, numbers, dates and JSON raise on.
HOSTILE = (
    "",
    "//[",
    "//[::1",
    "/\\[",
    "http://[",
    "//\u2100.example",
    "\x00",
    "\ud800".encode("utf-8", "replace").decode(),
    "\u0663",
    "\u00b2",
    "-1",
    "0",
    "1e999",
    "nan",
    "9" * 19,
    "9" * 400,
    "9" * 5_000,
    "9999-12-31",
    "0001-01-01",
    "2026-02-30",
    "2026-W01-1",
    "24:00",
    "../" * 9,
    "..",
    "Europe/../../etc/passwd",
    "%00%ff%",
    "[" * 500,
    "{}",
    "a" * 2_000,
)
PATH_VALUES = {
    **{f"text {number}": text for number, text in enumerate(HOSTILE) if text},
    **{f"number {number}": str(number) for number in (0, 1, 2**31, 2**63, 10**30)},
}
QUERY_NAMES = (
    "ask", "below", "browser", "change", "code", "error", "group", "hub.challenge",
    "hub.mode", "hub.verify_token", "language", "least", "m", "mood", "new", "next",
    "only", "page", "period", "q", "run_id", "saved", "scope", "sent", "since", "sort",
    "state", "until", "v", "view",
)  # fmt: skip
FIELD_NAMES = (
    "ask", "browser", "checkin_focus", "country", "delay_min", "email", "focus", "keep",
    "language", "mood", "others", "pause", "quiet_from", "quiet_until", "run_id",
    "units", "week_starts", "who5_1", "zone",
)  # fmt: skip
COOKIE_NAMES = ("-language", "-next", "-support")
HEADER_NAMES = (
    "Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Content-Type",
    "Forwarded", "If-Modified-Since", "If-None-Match", "Origin", "Range", "Referer",
    "Sec-Fetch-Site", "User-Agent", "X-Forwarded-For", "X-Forwarded-Host",
)  # fmt: skip

values = st.sampled_from(HOSTILE)
cookie_values = values.map(lambda text: text[:2_000])  # more, no browser sends
header_values = values.map(
    lambda text: text.encode("ascii", "ignore").decode().replace("\x00", "")
)
# It would end the session that the next example needs, or take everything away.
LEAVING = ("/logout", "/settings/delete", "/settings/disconnect", "/settings/sign-ins")


@pytest.mark.parametrize("is_signed_in", [False, True])
def test_no_address_breaks_whatever_a_client_sends(
    browser: PageClient, harness: Harness, is_signed_in: bool
) -> None:
    runner_id = add_full_runner(harness)
    if is_signed_in:
        browser.sign_in(runner_id)
    app, client = browser.client.application, browser.client
    csrf = browser.get_csrf_token()
    addresses = [
        address
        for address in list_addresses(app, PATH_VALUES)
        if not (address.method == "POST" and address.path.startswith(LEAVING))
    ]

    @settings(max_examples=60)
    @given(
        st.sampled_from(addresses),
        st.dictionaries(st.sampled_from(QUERY_NAMES), values, max_size=4),
        st.dictionaries(st.sampled_from(FIELD_NAMES), values, max_size=4),
        st.dictionaries(st.sampled_from(COOKIE_NAMES), cookie_values, max_size=2),
        st.dictionaries(st.sampled_from(HEADER_NAMES), header_values, max_size=3),
    )
    def holds(
        address: RouteAddress,
        query: Values,
        form: Values,
        cookies: Values,
        headers: Values,
    ) -> None:
        app.extensions[EXTENSION_KEY] = RateLimiter("")
        for name, text in cookies.items():
            client.set_cookie(f"moodmiles{name}", text, domain="127.0.0.1")
        answer = client.open(
            address.path,
            method=address.method,
            query_string=query,
            data={**form, "csrf": csrf} if address.method == "POST" else None,
            headers=headers,
        )
        answer.close()
        assert answer.status_code < 500 or address.endpoint == "health.readyz", (
            address,
            query,
            form,
            cookies,
            headers,
        )

    holds()


@pytest.mark.parametrize("is_signed_in", [False, True])
@pytest.mark.parametrize("text", HOSTILE, ids=map(str, range(len(HOSTILE))))
def test_no_address_breaks_on_one_value_in_all_places(
    browser: PageClient, runner_id: int, text: str, is_signed_in: bool
) -> None:
    client, app = browser.client, browser.client.application
    if not is_signed_in:
        client.delete_cookie("moodmiles", domain="127.0.0.1")
    form = dict.fromkeys(FIELD_NAMES, text) | {"csrf": browser.get_csrf_token()}
    broken = []

    for address in list_addresses(app, {"id": text or "x", "number": str(10**30)}):
        if address.path.startswith(LEAVING) and address.method == "POST":
            continue
        for name in COOKIE_NAMES:
            client.set_cookie(f"moodmiles{name}", text[:2_000], domain="127.0.0.1")
        app.extensions[EXTENSION_KEY] = RateLimiter("")
        with client.open(
            address.path,
            method=address.method,
            query_string=dict.fromkeys(QUERY_NAMES, text),
            data=form if address.method == "POST" else None,
        ) as answer:
            if answer.status_code >= 500 and address.endpoint != "health.readyz":
                broken.append(address)

    assert broken == []
