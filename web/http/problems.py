"""The pages of errors: one table by class of error, one by HTTP status."""

from dataclasses import dataclass
from http import HTTPStatus

from sync import errors
from sync.crypto import KeyLost
from sync.errors import MoodmilesError
from sync.language import translatable
from sync.surveys.answering.answer import SurveyClosed
from sync.surveys.answering.own_notes import NoAnswerForNote
from sync.surveys.instruments import InvalidAnswer
from web.http.local_only import NotLocal


@dataclass(frozen=True, slots=True)
class ProblemAction:
    """A button on the page of a problem: its label and the endpoint behind it."""

    label: str
    endpoint: str


START_PAGE = ProblemAction(translatable("Go to the start page"), "landing.landing")
RETRY = ProblemAction(translatable("Try again"), "connect.consent_page")


@dataclass(frozen=True, slots=True)
class Problem:
    """A page that says what happened and offers one way forward."""

    status: HTTPStatus
    title: str
    text: str
    action: ProblemAction = START_PAGE
    other_action: ProblemAction | None = None


BY_ERROR: dict[type[MoodmilesError], Problem] = {
    errors.StateRefused: Problem(
        HTTPStatus.BAD_REQUEST,
        translatable("This visit to Strava is over."),
        translatable(
            "It was started in another browser, was used before, or took longer than "
            "half an hour. Nothing was stored."
        ),
        RETRY,
    ),
    errors.CodeRefused: Problem(
        HTTPStatus.BAD_REQUEST,
        translatable("Strava’s code no longer works."),
        translatable(
            "Each code works once and for a few minutes: going back in the browser or "
            "reloading uses it up. Nothing was stored."
        ),
        RETRY,
    ),
    errors.ScopeMissing: Problem(
        HTTPStatus.FORBIDDEN,
        translatable("We can’t see your runs."),
        translatable(
            "On Strava’s page the box “View data about your activities” was not "
            "ticked. Without it there is nothing to ask you about, so we gave the "
            "permission back and stored nothing. Leave that box ticked and it will "
            "work."
        ),
        RETRY,
    ),
    errors.RunnerMismatch: Problem(
        HTTPStatus.CONFLICT,
        translatable("That is a different runner."),
        translatable(
            "This browser is signed in as one runner, and the Strava account you chose "
            "belongs to another. Sign out first, or choose your own account at Strava."
        ),
        ProblemAction(translatable("Open settings"), "settings.settings_page"),
    ),
    errors.AppFull: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        translatable("All places are taken."),
        translatable(
            "Strava lets only a certain number of runners connect to this Moodmiles, "
            "and all places are in use. Nothing was stored. Ask the person who runs it "
            "for a place, then try again."
        ),
        RETRY,
    ),
    errors.AppInactive: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        translatable("Strava has switched this app off."),
        translatable(
            "Only the person who runs this Moodmiles can switch it on again, in "
            "Strava’s developer settings. Nothing of yours was lost."
        ),
    ),
    errors.StravaUnavailable: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        translatable("Strava isn’t answering right now."),
        translatable(
            "This is on Strava’s side and usually passes within minutes. Nothing was "
            "lost. Please try again a little later."
        ),
        RETRY,
    ),
    errors.RateLimited: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        translatable("Strava asked us to slow down."),
        translatable(
            "Too many requests went to Strava in the last quarter of an hour. Please "
            "try again after the next quarter hour."
        ),
        RETRY,
    ),
    errors.RefusedByStrava: Problem(
        HTTPStatus.BAD_GATEWAY,
        translatable("Strava said no."),
        translatable(
            "Strava understood the request and refused it; trying again is unlikely to "
            "help. Please tell the person who runs this Moodmiles."
        ),
    ),
    errors.AccessRevoked: Problem(
        HTTPStatus.CONFLICT,
        translatable("Strava is disconnected."),
        translatable(
            "Strava no longer lets us see your runs. Your own answers are still here. "
            "Connect again to go on."
        ),
        ProblemAction(translatable("Connect again"), "connect.consent_page"),
    ),
    errors.TryLater: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        translatable("One moment, please."),
        translatable(
            "Something else has to finish first. Please try again in a minute."
        ),
    ),
    errors.DeletionPending: Problem(
        HTTPStatus.CONFLICT,
        translatable("This account is about to be deleted."),
        translatable(
            "You asked us to delete everything, so nothing was saved. Until it is done "
            "you can undo that in your settings, or by the link in our mail."
        ),
        ProblemAction(translatable("Open settings"), "settings.settings_page"),
    ),
    errors.AddressInUse: Problem(
        HTTPStatus.CONFLICT,
        translatable("This address belongs to another account here."),
        translatable(
            "Nothing was changed. If that account is yours, sign in to it by a link "
            "to this address and take back e-mails in its settings; seven days later "
            "the address is free."
        ),
        ProblemAction(translatable("Sign in"), "login.login_page"),
    ),
    errors.ConsentOutdated: Problem(
        HTTPStatus.FORBIDDEN,
        translatable("What you agreed to has a new text."),
        translatable(
            "Until you have read it and agreed again we store nothing, so this was not "
            "saved. Then send it once more."
        ),
        ProblemAction(translatable("Read it"), "consents.renewal_page"),
    ),
    errors.ConsentMissing: Problem(
        HTTPStatus.FORBIDDEN,
        translatable("We may not store your answers."),
        translatable(
            "You took that consent back, or never gave it, so nothing was saved. To go "
            "on, tick its box again."
        ),
        ProblemAction(translatable("Open the consent page"), "connect.consent_page"),
    ),
}

BY_ERROR[KeyLost] = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    translatable("Your data cannot be opened right now."),
    translatable(
        "What you told us is stored sealed, and this Moodmiles no longer has the key "
        "that opens it. Nothing of yours was deleted, and nothing was saved just now. "
        "Please tell the person who runs this Moodmiles: once they put the old key "
        "back into MOODMILES_SECRET_KEYS, everything is as it was. If that key is "
        "gone for good, nobody can read your answers any more; you can then delete "
        "everything."
    ),
    ProblemAction(translatable("Try again"), "dashboard.dashboard_page"),
    ProblemAction(
        translatable("Delete everything"), "disconnect_and_delete.delete_page"
    ),
)
BY_ERROR[SurveyClosed] = Problem(
    HTTPStatus.GONE,
    translatable("It is too late to answer this one."),
    translatable(
        "How a run felt fades, so a question stays open for 24 hours after the run. "
        "Nothing was changed."
    ),
    ProblemAction(translatable("Open your dashboard"), "dashboard.dashboard_page"),
)
BY_ERROR[InvalidAnswer] = Problem(
    HTTPStatus.BAD_REQUEST,
    translatable("That is not one of the answers."),
    translatable("Go back and choose one of the answers shown. Nothing was changed."),
)
BY_ERROR[NoAnswerForNote] = Problem(
    HTTPStatus.BAD_REQUEST,
    translatable("There is no answer for this line."),
    translatable(
        "A line stands beside an answer: answer first, and then write it. Go back, and "
        "it is still in the field."
    ),
    ProblemAction(translatable("Open your dashboard"), "dashboard.dashboard_page"),
)
BY_ERROR[NotLocal] = Problem(
    HTTPStatus.FORBIDDEN,
    translatable("This page is for one machine only."),
    translatable(
        "Open it in a browser on the machine that Moodmiles runs on, with no proxy or "
        "tunnel in between; what serves others is set by MOODMILES_SMTP_URL for mails "
        "and MOODMILES_METRICS_TOKEN for numbers."
    ),
)

UNKNOWN = Problem(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    translatable("Something went wrong on our side."),
    translatable(
        "What you sent may not be saved. Please try once more. If it happens again, "
        "tell the person who runs this Moodmiles the code below."
    ),
)

NOT_FOUND = Problem(
    HTTPStatus.NOT_FOUND,
    translatable("There is nothing at this address."),
    translatable(
        "It may be mistyped, or cut off by your mail program. Links in our mails are "
        "long: make sure that you have all of it."
    ),
)

BY_STATUS: dict[int, Problem] = {
    HTTPStatus.BAD_REQUEST: Problem(
        HTTPStatus.BAD_REQUEST,
        translatable("We could not read that."),
        translatable(
            "What your browser sent does not make sense to us, so nothing was saved."
        ),
    ),
    HTTPStatus.FORBIDDEN: Problem(
        HTTPStatus.FORBIDDEN,
        translatable("This page was open for too long."),
        translatable(
            "To keep strangers from sending forms in your name, each form works only "
            "in the browser that opened it. Nothing was saved: go back, reload the "
            "page and send it once more."
        ),
    ),
    HTTPStatus.NOT_FOUND: NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: Problem(
        HTTPStatus.METHOD_NOT_ALLOWED,
        translatable("That does not work here."),
        translatable("This address cannot be used in that way. Nothing was changed."),
    ),
    HTTPStatus.REQUEST_TIMEOUT: Problem(
        HTTPStatus.REQUEST_TIMEOUT,
        translatable("That took too long."),
        translatable(
            "What your browser sent did not arrive in time, so nothing was saved. "
            "Please send it once more."
        ),
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        translatable("That is too much at once."),
        translatable(
            "What your browser sent is larger than anything we expect, so nothing was "
            "saved."
        ),
    ),
    HTTPStatus.TOO_MANY_REQUESTS: Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        translatable("That was a lot in a short time."),
        translatable("Please wait a few minutes, then try again."),
    ),
}


def find_problem(error: MoodmilesError) -> Problem:
    """Return the page for `error`, by its own class or the nearest parent's."""
    for error_class in type(error).__mro__:
        if error_class in BY_ERROR:
            return BY_ERROR[error_class]
    return UNKNOWN
