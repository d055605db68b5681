"""Rate limits: how often one subject and one network may use each address.

Every request counts for the class of its endpoint (`web.http.request_classes`), and
a form that invites abuse for a stricter limit of its own.  The counters hold only
hashes made with the host's secret, for an hour at most.  Strava's events are never
limited; requests of this very machine have no network.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from math import ceil
from typing import ParamSpec, cast

import structlog
from flask import Flask, current_app, make_response, request
from flask.typing import ResponseReturnValue
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from werkzeug.exceptions import TooManyRequests

from sync.errors import InvalidAddress
from sync.language import ngettext
from sync.runners.rules import normalize_address
from sync.vocabulary import KeyUse
from web.http.clients import client_network, site_network
from web.http.conflicts import is_rerun
from web.http.csrf import EXEMPT_BLUEPRINTS
from web.http.limit_counters import RateLimiter
from web.http.request_classes import UNLIMITED, RequestClass, classify_request
from web.http.session import browser_token, current_runner
from web.runtime import runtime

P = ParamSpec("P")
FormRenderer = Callable[..., str]

log = structlog.get_logger()

EXTENSION_KEY = "moodmiles_counters"
# An IPv6 site of 65,536 networks may do what so many networks may.
_SITE_NETWORKS = 4


@dataclass(frozen=True, slots=True)
class Limit:
    """The uses allowed to one subject, and to all subjects of one network.

    A subject that is always a signed-in runner needs no limit by network.
    """

    subject: RateLimitItem
    network: RateLimitItem | None = None


@dataclass(frozen=True, slots=True)
class ClassLimit:
    """The requests of one class allowed to a signed-in runner, or else to a network."""

    runner: RateLimitItem
    network: RateLimitItem


def _per_minutes(amount: int, minutes: int) -> RateLimitItem:
    return RateLimitItemPerMinute(amount, minutes)


def _per_hour(amount: int) -> RateLimitItem:
    return RateLimitItemPerHour(amount)


# A club behind one address runs, joins, answers and signs in together, so networks
# get more.  Each step of signing up lets through at least as many as the one before.
LIMITS: Mapping[str, Limit] = {
    "sign-in mail": Limit(subject=_per_minutes(5, 15), network=_per_minutes(20, 15)),
    # From everywhere together: more than one network may, so that none of them keeps
    # its owner from signing in.
    "mail to one address": Limit(subject=_per_minutes(15, 15)),
    "sign-in link": Limit(subject=_per_minutes(10, 15), network=_per_minutes(30, 15)),
    "connect": Limit(subject=_per_minutes(20, 15), network=_per_minutes(75, 15)),
    "address": Limit(subject=_per_hour(5)),
    "confirm": Limit(subject=_per_hour(10), network=_per_hour(300)),
    "answer": Limit(subject=_per_minutes(60, 10), network=_per_minutes(300, 10)),
    "pre_run": Limit(subject=_per_minutes(20, 10), network=_per_minutes(120, 10)),
    "export": Limit(subject=_per_hour(10)),
    "preference_link": Limit(
        subject=_per_minutes(20, 10), network=_per_minutes(300, 10)
    ),
    "account_link": Limit(subject=_per_hour(10), network=_per_hour(300)),
}

CLASS_LIMITS: Mapping[RequestClass, ClassLimit] = {
    RequestClass.READING: ClassLimit(_per_minutes(120, 1), _per_minutes(600, 1)),
    RequestClass.WRITING: ClassLimit(_per_minutes(60, 1), _per_minutes(300, 1)),
    RequestClass.NUMBERS: ClassLimit(_per_minutes(20, 1), _per_minutes(120, 1)),
    RequestClass.FIXTURE: ClassLimit(_per_minutes(120, 1), _per_minutes(120, 1)),
}


class RateLimitExceeded(TooManyRequests):
    """A limit of ours is used up for `retry_after` seconds."""


def init_app(app: Flask, redis_url: str) -> None:
    """Count every request before anything else looks at it."""
    app.extensions[EXTENSION_KEY] = RateLimiter(redis_url)
    app.before_request(count_request)


def count_request() -> None:
    """Count the request in its class, or raise `RateLimitExceeded`."""
    if request.endpoint in UNLIMITED:
        return
    request_class = classify_request(request.endpoint, request.method)
    limit, name = CLASS_LIMITS[request_class], f"class {request_class}"
    if request_class is RequestClass.FIXTURE:  # each of them signs another runner in
        wait_s = _count(limit.network, name, "this machine")
    # A page whose address is the permission reads no cookie.
    elif request.blueprint not in EXEMPT_BLUEPRINTS and (runner := current_runner()):
        wait_s = _count(limit.runner, name, f"runner {runner.runner_id}")
    elif network := client_network():
        wait_s = _count_network(limit.network, name, network)
    else:
        return
    if wait_s:
        log.info("request limited", limit=name, wait_s=wait_s)
        raise RateLimitExceeded(_describe_wait(wait_s), retry_after=wait_s)


def _describe_wait(wait_s: int) -> str:
    if request.method in {"GET", "HEAD"}:
        return ngettext(
            "Please wait %(n)s second, then load this page again.",
            "Please wait %(n)s seconds, then load this page again.",
            wait_s,
        )
    return ngettext(
        "Nothing was saved. Please wait %(n)s second, then go back in your browser: "
        "what you wrote is still there, to be sent again.",
        "Nothing was saved. Please wait %(n)s seconds, then go back in your browser: "
        "what you wrote is still there, to be sent again.",
        wait_s,
    )


def rate_limited(
    name: str,
    subject_of: Callable[..., str],
    *,
    render_form: FormRenderer | None = None,
) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Limit the calls of a view as `LIMITS` says for `name`.

    `subject_of` and `render_form` get the view's arguments.  `render_form` renders
    the form with its given values and, as `refused`, the sentence of the refusal.
    """

    def decorate(
        view: Callable[P, ResponseReturnValue],
    ) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            # A request that runs again is still one request.
            if is_rerun() or not (
                wait_s := count_use(name, subject_of(*args, **kwargs))
            ):
                return view(*args, **kwargs)
            refused = ngettext(
                "That was a lot in a short time: please wait %(n)s minute and send it "
                "again.",
                "That was a lot in a short time: please wait %(n)s minutes and send it "
                "again.",
                ceil(wait_s / 60),
            )
            if render_form is None:
                raise RateLimitExceeded(refused, retry_after=wait_s)
            page = render_form(*args, refused=refused, **kwargs)
            response = make_response(page, HTTPStatus.TOO_MANY_REQUESTS)
            response.headers["Retry-After"] = str(wait_s)
            return response

        return wrapper

    return decorate


def runner_subject(**_: object) -> str:
    """Name the signed-in runner, or else this browser."""
    runner = current_runner()
    return f"runner {runner.runner_id}" if runner else f"browser {browser_token()}"


def link_subject(token: str, **_: object) -> str:
    """Name the link that leads to the form."""
    return f"link {token}"


def address_subject(**_: object) -> str:
    """Name the address to which a link is requested, known here or not."""
    email = request.form.get("email", "")
    try:
        # However it is spelled, it is one mailbox.
        email = normalize_address(email)
    except InvalidAddress:
        email = email.strip()
    return f"address {email.lower()}"


def address_and_network_subject(**_: object) -> str:
    """Name the address, and from where a link to it is requested."""
    network = client_network() or "this machine"
    return f"{address_subject()} from {site_network(network) or network}"


def count_use(name: str, subject: str) -> int:
    """Count one use; return 0, or in how many seconds it would be allowed."""
    limit = LIMITS[name]
    network = client_network() if limit.network else None
    wait_s = 0
    if limit.network and network:
        # A flood of one network with made-up subjects must not fill the memory.
        wait_s = _count_network(limit.network, name, network, consume=False)
    wait_s = wait_s or _count(limit.subject, name, subject)
    if limit.network and network and not wait_s:
        # A refused use of one subject must not use up what is left for its network.
        wait_s = _count_network(limit.network, name, network)
    if wait_s:
        log.info("request limited", limit=name, wait_s=wait_s)
    return wait_s


def _count_network(
    limit: RateLimitItem, name: str, network: str, *, consume: bool = True
) -> int:
    """Count one use of a network, and of the IPv6 site that it is part of."""
    wait_s = _count(limit, name, network, consume=consume)
    site = site_network(network)
    if wait_s or site is None:
        return wait_s
    site_limit = type(limit)(limit.amount * _SITE_NETWORKS, limit.multiples)
    return _count(site_limit, name, site, consume=consume)


def _count(
    limit: RateLimitItem, name: str, subject: str, *, consume: bool = True
) -> int:
    limiter = cast(RateLimiter, current_app.extensions[EXTENSION_KEY])
    [signature, *_] = runtime().sealer.signatures(KeyUse.LIMITS, subject)
    return limiter.retry_after_s(limit, name, signature, consume=consume)
