"""What to tell a person when something goes wrong: one table, plain sentences."""

from dataclasses import dataclass
from http import HTTPStatus

from sync import errors
from sync.errors import MoodmilesError
from sync.surveys.answer import TooLate
from sync.surveys.instruments import BadAnswer


@dataclass(frozen=True, slots=True)
class Problem:
    """A page that says what happened and offers one way forward."""

    status: HTTPStatus
    title: str
    text: str
    action: str = "Go to the start page"
    endpoint: str = "landing.landing"


_AGAIN = ("Try again", "connect.consent_page")

BY_ERROR: dict[type[MoodmilesError], Problem] = {
    errors.StateRefused: Problem(
        HTTPStatus.BAD_REQUEST,
        "This visit to Strava is over.",
        "It was started in another browser, was used before, or took longer than "
        "half an hour. Nothing was stored.",
        *_AGAIN,
    ),
    errors.CodeRefused: Problem(
        HTTPStatus.BAD_REQUEST,
        "Strava’s code no longer works.",
        "Each code works once and for a few minutes: going back in the browser or "
        "reloading uses it up. Nothing was stored.",
        *_AGAIN,
    ),
    errors.ScopeMissing: Problem(
        HTTPStatus.FORBIDDEN,
        "We can’t see your runs.",
        "On Strava’s page the box “View data about your activities” was not ticked. "
        "Without it there is nothing to ask you about, so we gave the permission "
        "back and stored nothing. Leave that box ticked and it will work.",
        *_AGAIN,
    ),
    errors.OtherRunner: Problem(
        HTTPStatus.CONFLICT,
        "That is a different runner.",
        "This browser is signed in as one runner, and the Strava account you chose "
        "belongs to another. Sign out first, or choose your own account at Strava.",
        "Open settings",
        "settings.settings_page",
    ),
    errors.AppFull: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "All places are taken.",
        "Strava lets only a certain number of runners connect to this Moodmiles, "
        "and all places are in use. Nothing was stored. Ask the person who runs it "
        "for a place, then try again.",
        *_AGAIN,
    ),
    errors.AppInactive: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Strava has switched this app off.",
        "Only the person who runs this Moodmiles can switch it on again, in "
        "Strava’s developer settings. Nothing of yours was lost.",
    ),
    errors.StravaUnavailable: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Strava isn’t answering right now.",
        "This is on Strava’s side and usually passes within minutes. Nothing was "
        "lost. Please try again a little later.",
        *_AGAIN,
    ),
    errors.RateLimited: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Strava asked us to slow down.",
        "Too many requests went to Strava in the last quarter of an hour. Please "
        "try again after the next quarter hour.",
        *_AGAIN,
    ),
    errors.RefusedByStrava: Problem(
        HTTPStatus.BAD_GATEWAY,
        "Strava said no.",
        "Strava understood the request and refused it; trying again is unlikely to "
        "help. Please tell the person who runs this Moodmiles.",
    ),
    errors.AccessRevoked: Problem(
        HTTPStatus.CONFLICT,
        "Strava is disconnected.",
        "Strava no longer lets us see your runs. Your own answers are still here. "
        "Connect again to go on.",
        "Connect again",
        "connect.consent_page",
    ),
    errors.TryLater: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "One moment, please.",
        "Something else has to finish first. Please try again in a minute.",
    ),
    errors.ConsentMissing: Problem(
        HTTPStatus.FORBIDDEN,
        "We may not store your answers.",
        "You took that consent back, or never gave it, so nothing was saved. To go "
        "on, tick its box again.",
        "Open the consent page",
        "connect.consent_page",
    ),
}

BY_ERROR[TooLate] = Problem(
    HTTPStatus.GONE,
    "It is too late to answer this one.",
    "How a run felt fades, so a question stays open for 24 hours after the run. "
    "Nothing was changed.",
    "Open your dashboard",
    "dashboard.dashboard_page",
)
BY_ERROR[BadAnswer] = Problem(
    HTTPStatus.BAD_REQUEST,
    "That is not one of the answers.",
    "Go back and choose one of the answers shown. Nothing was changed.",
)

UNKNOWN = Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "Something went wrong on our side.",
    "What you sent may not be saved. Please try once more. If it happens again, tell "
    "the person who runs this Moodmiles the code below.",
)

NOT_FOUND = Problem(
    HTTPStatus.NOT_FOUND,
    "There is nothing at this address.",
    "It may be mistyped, or cut off by your mail program. Links in our mails are "
    "long: make sure that you have all of it.",
)

BY_STATUS: dict[int, Problem] = {
    HTTPStatus.BAD_REQUEST: Problem(
        HTTPStatus.BAD_REQUEST,
        "We could not read that.",
        "What your browser sent does not make sense to us, so nothing was saved.",
    ),
    HTTPStatus.FORBIDDEN: Problem(
        HTTPStatus.FORBIDDEN,
        "This page was open for too long.",
        "To keep strangers from sending forms in your name, each form works only in "
        "the browser that opened it. Nothing was saved: go back, reload the page "
        "and send it once more.",
    ),
    HTTPStatus.NOT_FOUND: NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: Problem(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "That does not work here.",
        "This address cannot be used in that way. Nothing was changed.",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "That is too much at once.",
        "What your browser sent is larger than anything we expect, so nothing was "
        "saved.",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "That was a lot in a short time.",
        "Please wait a few minutes, then try again.",
    ),
}


def problem_of(error: MoodmilesError) -> Problem:
    """Return the page for `error`, by its own class or the nearest parent's."""
    for kind in type(error).__mro__:
        if kind in BY_ERROR:
            return BY_ERROR[kind]
    return UNKNOWN
