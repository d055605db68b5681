"""Strava's refusals translated into `sync.errors`: pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from sync.errors import (
    AccessRevoked,
    AppFull,
    AppInactive,
    CodeRefused,
    MoodmilesError,
    NotConfigured,
    NotOnStrava,
    RefusedByStrava,
    ScopeMissing,
    StravaUnavailable,
)

APP_FULL_PHRASES = (
    "connected athletes exceeded",
    "too many athletes",
    "too many accounts",
)
CODE_RESOURCES = {"AuthorizationCode", "RequestToken"}
MAX_REASON_LENGTH = 200


class Credential(Enum):
    """What a request is signed with: the same status means something else for each."""

    RUNNER = auto()  # with a runner's access token
    TOKEN = auto()  # a code or a refresh token, with our id and secret
    APP = auto()  # our id and secret alone


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One entry of `errors` in a refusal's body."""

    resource: str
    field: str
    code: str

    @property
    def is_inactive_app(self) -> bool:
        return self.resource == "Application" and self.code == "Inactive"

    @property
    def is_app_credential(self) -> bool:
        app_fields = {"", "client_id", "client_secret"}
        return self.resource == "Application" and self.field in app_fields

    @property
    def is_missing_permission(self) -> bool:
        return self.code == "missing" and self.field.endswith("permission")


def parse_entries(body: object) -> list[ErrorEntry]:
    """Read `errors`: a list by the documentation, one object or nothing in practice."""
    listed = body.get("errors") if isinstance(body, Mapping) else None
    return [
        ErrorEntry(
            resource=str(entry.get("resource") or ""),
            field=str(entry.get("field") or ""),
            code=str(entry.get("code") or ""),
        )
        for entry in (listed if isinstance(listed, list) else [listed])
        if isinstance(entry, Mapping)
    ]


def error_for(
    status: int, body: object, credential: Credential
) -> MoodmilesError | None:
    """Return the error that an answer means; None for a success.

    The caller treats a 429 before.
    """
    if 200 <= status < 300:
        return None
    if not 400 <= status < 500:
        return StravaUnavailable(f"Strava answered with status {status}.")
    entries = parse_entries(body)
    error = app_error(body, entries, credential)
    match credential:
        case Credential.RUNNER:
            error = error or runner_error(status, entries)
        case Credential.TOKEN:
            error = error or token_error(entries)
        case Credential.APP:
            pass
    if error is not None:
        return error
    details = "; ".join(f"{entry.field} {entry.code}".strip() for entry in entries)
    sentence = f"Strava refused ({status}): {details or 'no reason given'}."
    return RefusedByStrava(sentence[:MAX_REASON_LENGTH])


def app_error(
    body: object, entries: list[ErrorEntry], credential: Credential
) -> MoodmilesError | None:
    """Return the error that concerns every runner of this app; None for others."""
    if any(entry.is_inactive_app for entry in entries):
        return AppInactive(
            "Strava has switched this app off: its owner needs a Strava subscription "
            "and then reactivates the app at strava.com/settings/api."
        )
    if isinstance(body, Mapping) and any(
        phrase in str(body).lower() for phrase in APP_FULL_PHRASES
    ):
        return AppFull("Strava lets no more runners connect to this app.")
    if credential is not Credential.RUNNER and any(
        entry.is_app_credential for entry in entries
    ):
        return NotConfigured(
            "Strava does not know MOODMILES_STRAVA_CLIENT_ID, or "
            "MOODMILES_STRAVA_CLIENT_SECRET does not belong to it."
        )
    return None


def runner_error(status: int, entries: list[ErrorEntry]) -> MoodmilesError | None:
    """Return the error about one runner's access or one activity; None for others."""
    if any(entry.is_missing_permission for entry in entries):
        return ScopeMissing("The runner has not allowed us to see activities.")
    if status == 401:
        return AccessRevoked("Strava no longer accepts this runner's access.")
    if status == 404 or any(entry.resource == "Activity" for entry in entries):
        return NotOnStrava("Strava does not show this to us.")
    return None


def token_error(entries: list[ErrorEntry]) -> MoodmilesError | None:
    """Return the error about a code or a refresh token; None for others."""
    for entry in entries:
        if entry.resource == "RefreshToken":
            return AccessRevoked("Strava no longer accepts this runner's access.")
        if entry.resource in CODE_RESOURCES or entry.field == "code":
            return CodeRefused("Strava's permission was used already or is too old.")
    return None
