"""Which sign-in each address needs that changes something, or gives everything out.

A cookie can be stolen, so a session alone does not change a way in, take everything
out, or end the account: that needs a sign-in of the last ten minutes.  Each endpoint
that takes a POST has a line here, or the application does not start.
"""

from collections.abc import Mapping
from enum import StrEnum, auto
from http import HTTPStatus

import structlog
from flask import Flask, redirect, request, url_for
from flask.typing import ResponseReturnValue

from sync.runners.sign_in import SignedInRunner
from sync.vocabulary import SignInMethod
from web.http.session import current_runner, save_next_path

log = structlog.get_logger()


class SignInNeed(StrEnum):
    """The sign-in that an endpoint needs.

    `NONE`: the link is the permission, or none is needed.  `SESSION`: the view's own
    `login_required`.  `RECENT`: within ten minutes.  `FRESH`: also by a way that
    vouches for who came.  `FRESH_TO_LINK`: fresh for a runner without Strava, who would
    get a way in; nobody else can link what is not their own.
    """

    NONE = auto()
    SESSION = auto()
    RECENT = auto()
    FRESH = auto()
    FRESH_TO_LINK = auto()


NEEDS: Mapping[str, SignInNeed] = {
    "account_links.confirm": SignInNeed.NONE,
    "browser_sessions.sign_out": SignInNeed.RECENT,
    "connect.sign_in": SignInNeed.NONE,
    "connect.start_authorization": SignInNeed.FRESH_TO_LINK,
    "consents.include_private": SignInNeed.FRESH,
    "consents.private_page": SignInNeed.FRESH,
    "consents.renew": SignInNeed.FRESH,
    "consents.withdraw": SignInNeed.FRESH,
    "consents.withdraw_page": SignInNeed.FRESH,
    "dashboard.hide_support": SignInNeed.SESSION,
    "dashboard.save_answer": SignInNeed.SESSION,
    "disconnect_and_delete.disconnect": SignInNeed.FRESH,
    "disconnect_and_delete.disconnect_page": SignInNeed.FRESH,
    "disconnect_and_delete.request_deletion": SignInNeed.FRESH,
    "disconnect_and_delete.undo_deletion": SignInNeed.SESSION,
    "email.address_page": SignInNeed.FRESH,
    "email.confirm": SignInNeed.NONE,
    "email.request_confirmation": SignInNeed.FRESH,
    "email.undo": SignInNeed.NONE,
    "export.download": SignInNeed.FRESH,
    "export.request_export": SignInNeed.FRESH,
    "login.logout": SignInNeed.NONE,
    "login.redeem": SignInNeed.NONE,
    "login.send_link": SignInNeed.NONE,
    "login.send_own_link": SignInNeed.SESSION,
    "mailbox.clear": SignInNeed.NONE,
    "notes.change": SignInNeed.SESSION,
    "notes.search": SignInNeed.SESSION,
    "pre_run.record": SignInNeed.NONE,
    "runs.keep_note": SignInNeed.SESSION,
    "runs.remove": SignInNeed.SESSION,
    "runs.retain": SignInNeed.SESSION,
    "runs.save_answer": SignInNeed.SESSION,
    "runs.set_counted_recording": SignInNeed.SESSION,
    "settings.save": SignInNeed.SESSION,
    "survey.keep_note": SignInNeed.NONE,
    "survey.record": SignInNeed.NONE,
    "survey.retain": SignInNeed.NONE,
    "survey.skip": SignInNeed.NONE,
    "unsubscribe.save_settings": SignInNeed.NONE,
    "unsubscribe.stop": SignInNeed.NONE,
    "webhooks.receive_event": SignInNeed.NONE,
    "wellbeing.record": SignInNeed.SESSION,
}
# Where a form stands whose address cannot be opened, or must not open by itself.
_FORM_PAGES: Mapping[str, str] = {
    "consents.include_private": "consents.private_page",
    "export.download": "export.export_page",
}


def init_app(app: Flask) -> None:
    @app.before_request
    def check_sign_in() -> ResponseReturnValue | None:
        runner = current_runner() if request.endpoint in _GUARDED else None
        if runner is None or meets(NEEDS[request.endpoint or ""], runner):
            return None
        return ask_to_sign_in_again()


_GUARDED = {
    endpoint
    for endpoint, need in NEEDS.items()
    if need not in {SignInNeed.NONE, SignInNeed.SESSION}
}


def require_declared(app: Flask) -> None:
    """Raise LookupError if an endpoint that takes a POST says not what it needs."""
    undeclared = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or set()) and rule.endpoint not in NEEDS
    }
    if undeclared:
        raise LookupError(
            f"web/http/sign_in_needs.py has no line for {', '.join(sorted(undeclared))}"
        )


def meets(need: SignInNeed, runner: SignedInRunner) -> bool:
    """Whether this sign-in is enough."""
    match need:
        case SignInNeed.NONE | SignInNeed.SESSION:
            return True
        case SignInNeed.RECENT:
            return runner.is_recent
        case SignInNeed.FRESH:
            return runner.is_fresh
        case SignInNeed.FRESH_TO_LINK:
            return runner.is_fresh or SignInMethod.STRAVA in runner.ways


def ask_to_sign_in_again() -> ResponseReturnValue:
    """Lead to the page that offers this runner's ways, and then back to the form."""
    endpoint = request.endpoint or ""
    form_page = _FORM_PAGES.get(endpoint)
    save_next_path(url_for(form_page) if form_page else request.path)
    log.info("asked to sign in again", endpoint=endpoint)
    is_recent_enough = NEEDS.get(endpoint) is SignInNeed.RECENT
    return redirect(
        url_for("login.again_page", any=1 if is_recent_enough else None),
        HTTPStatus.SEE_OTHER,
    )
