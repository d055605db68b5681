"""Why a run was asked about or not, in one plain sentence for its page.  Pure."""

from collections.abc import Mapping

_WITHHELD: Mapping[str, str] = {
    "before linking": "it was run before you linked Strava",
    "no confirmed address": "there was no confirmed e-mail address to write to",
    "no address": "there was no confirmed e-mail address to write to",
    "stopped": "you had switched the questions off",
    "waiting for your choice": (
        "several questions had stayed unanswered, and we wait until you choose how "
        "to go on"
    ),
    "five unanswered": (
        "the last questions had stayed unanswered, so we asked you how to go on instead"
    ),
    "paused": "you had paused the questions",
    "entered by hand": "the run was entered by hand",
    "too short": "the run was too short to ask about",
    "only long runs": "you asked for questions after long runs only",
    "asked before": "you had been asked about this run before",
    "one of many at once": "several runs arrived at once, and only the newest counts",
    "one a day": "you had been asked that day already",
    "enough this week": "you had had enough mails from us that week",
    "every other run": "you asked for questions after every other run only",
    "once a week": "you asked for one question a week",
    "quiet hours": "by the end of your quiet hours it would have been too late",
    "double": "you ran again that day, and the later question was about both runs",
    "answered": "you had answered before the mail was due",
    "skipped": "you skipped it",
    "cancelled": "it was called off before the mail was due",
    "run gone": "the run was hidden or deleted on Strava",
    "disconnected": "Strava was disconnected before the mail was due",
    "stale": "the mail could not leave in time",
    "unreadable": "the mail could not be written",
    "refused": "the mail server did not take the mail",
    "bounced": "mails to your address came back",
    "bounced before": "mails to your address came back",
}
_HOUR_MIN = 60


def why(verdict: str, reason: str, minutes_since_end: int | None = None) -> str:
    """Return the sentence; `minutes_since_end` is how old the run was when decided."""
    if verdict == "send":
        if reason == "next morning":
            return "Asked the next morning, after your quiet hours."
        return "Asked after the run."
    if reason == "too old":
        if minutes_since_end is None:
            return "No survey: the run was too old when Strava told us."
        age = _age(minutes_since_end)
        return f"No survey: the run was {age} old when Strava told us."
    return f"No survey: {_WITHHELD.get(reason, reason)}."


def _age(minutes: int) -> str:
    count, unit = (
        (minutes // _HOUR_MIN, "hour") if minutes >= _HOUR_MIN else (minutes, "minute")
    )
    if unit == "hour" and count >= 48:
        count, unit = count // 24, "day"
    return f"{count} {unit}{'' if count == 1 else 's'}"
