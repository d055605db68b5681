"""How often one network and one runner may do what is worth abusing: one table.

Counted are only hashes made with the host's secret, for an hour at most.  Strava's
events are never limited, nor is anything from this very machine by its network.
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

from sync.language import ngettext
from web.http.clients import client_network
from web.http.limit_counters import RateLimiter
from web.http.session import browser_token, current_runner
from web.runtime import runtime

P = ParamSpec("P")
FormRenderer = Callable[..., str]

log = structlog.get_logger()

_EXTENSION_KEY = "moodmiles_counters"


@dataclass(frozen=True, slots=True)
class Limit:
    """How much is let through for one `who`, and from one network.

    Where `who` is a runner whom we know, their network need not be counted.
    """

    subject: RateLimitItem
    network: RateLimitItem | None = None


def _per_minutes(amount: int, minutes: int) -> RateLimitItem:
    return RateLimitItemPerMinute(amount, minutes)


def _per_hour(amount: int) -> RateLimitItem:
    return RateLimitItemPerHour(amount)


# A club behind one address runs, joins, answers and signs in together: networks get
# more, and on the way of a newcomer none lets through fewer than the one before it.
LIMITS: Mapping[str, Limit] = {
    "sign-in mail": Limit(subject=_per_minutes(5, 15), network=_per_minutes(20, 15)),
    "sign-in link": Limit(subject=_per_minutes(10, 15), network=_per_minutes(30, 15)),
    "connect": Limit(subject=_per_minutes(20, 15), network=_per_minutes(75, 15)),
    "address": Limit(subject=_per_hour(5)),
    "confirm": Limit(subject=_per_hour(10), network=_per_hour(300)),
    "answer": Limit(subject=_per_minutes(60, 10), network=_per_minutes(300, 10)),
    "pre_run": Limit(subject=_per_minutes(20, 10), network=_per_minutes(120, 10)),
    "export": Limit(subject=_per_hour(10)),
    "account_link": Limit(subject=_per_hour(10), network=_per_hour(300)),
}


class RateLimitExceeded(TooManyRequests):
    """A limit of ours is used up; `retry_after` says in how many seconds it is not."""


def init_app(app: Flask, redis_url: str) -> None:
    app.extensions[_EXTENSION_KEY] = RateLimiter(redis_url)


def rate_limited(
    name: str,
    subject_of: Callable[..., str],
    *,
    render_form: FormRenderer | None = None,
) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, ResponseReturnValue]]:
    """Let a view through only so often, as `LIMITS` says for `name`.

    `who` and `again` get what the view gets.  `again` shows the form once more with
    what was written into it, and the sentence that says why.
    """

    def decorate(
        view: Callable[P, ResponseReturnValue],
    ) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            wait_s = _retry_after_s(name, subject_of(*args, **kwargs))
            if not wait_s:
                return view(*args, **kwargs)
            error = RateLimitExceeded(_refusal_text(wait_s), retry_after=wait_s)
            if render_form is None:
                raise error
            page = render_form(*args, refused=error.description, **kwargs)
            response = make_response(page, HTTPStatus.TOO_MANY_REQUESTS)
            response.headers["Retry-After"] = str(wait_s)
            return response

        return wrapper

    return decorate


def runner_subject(**_: object) -> str:
    """Count for the signed-in runner, or else for this browser."""
    runner = current_runner()
    return f"runner {runner.runner_id}" if runner else f"browser {browser_token()}"


def link_subject(token: str, **_: object) -> str:
    """Count for the link behind which the form stands."""
    return f"link {token}"


def address_subject(**_: object) -> str:
    """Count for the address that a link shall go to, known here or not."""
    return f"address {request.form.get('email', '').strip().lower()}"


def _retry_after_s(name: str, subject: str) -> int:
    limiter, limit = (
        cast(RateLimiter, current_app.extensions[_EXTENSION_KEY]),
        LIMITS[name],
    )
    network = client_network() if limit.network else None
    wait_s = 0
    if limit.network and network:
        # Whoever floods from one network fills no memory with made-up names.
        wait_s = limiter.retry_after_s(
            limit.network, name, _hash_subject(network), consume=False
        )
    wait_s = wait_s or limiter.retry_after_s(
        limit.subject, name, _hash_subject(subject)
    )
    if limit.network and network and not wait_s:
        # What is refused to one must not use up what is there for all.
        wait_s = limiter.retry_after_s(limit.network, name, _hash_subject(network))
    if wait_s:
        log.info("request limited", limit=name, wait_s=wait_s)
    return wait_s


def _hash_subject(text: str) -> str:
    return runtime().sealer.signatures("limit", text)[0]


def _refusal_text(wait_s: int) -> str:
    return ngettext(
        "That was a lot in a short time: please wait %(n)s minute and send it again.",
        "That was a lot in a short time: please wait %(n)s minutes and send it again.",
        ceil(wait_s / 60),
    )
