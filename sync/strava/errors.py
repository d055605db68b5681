"""What Strava's refusals mean in our words: pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

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
    """Which part of Strava answers: the same status means different things."""

    RUNNER = auto()  # with a runner's access token
    TOKEN = auto()  # a code or a refresh token, with our id and secret
    APP = auto()  # our id and secret alone


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One entry of `errors` in a refusal's body."""

    resource: str
    field: str
    code: str


def error_for(
    status: int, body: object, credential: Credential
) -> MoodmilesError | None:
    """Say what an answer other than a 429 means; None if it is not a refusal."""
    if 200 <= status < 300:
        return None
    if not 400 <= status < 500:
        return StravaUnavailable(f"Strava answered with status {status}.")
    entries = _parse_entries(body)
    return _app_error(body, entries, credential) or _credential_error(
        status, entries, credential
    )


def _app_error(
    body: object, entries: list[ErrorEntry], credential: Credential
) -> MoodmilesError | None:
    """Look for what concerns everybody, whatever was asked for."""
    if any(_is_inactive(entry) for entry in entries):
        return AppInactive(
            "Strava has switched this app off: its owner needs a Strava subscription "
            "and then reactivates the app at strava.com/settings/api."
        )
    if any(phrase in str(body).lower() for phrase in APP_FULL_PHRASES):
        return AppFull("Strava lets no more runners connect to this app.")
    if credential is not Credential.RUNNER and any(
        _is_app_credential(entry) for entry in entries
    ):
        return NotConfigured(
            "Strava does not know MOODMILES_STRAVA_CLIENT_ID, or "
            "MOODMILES_STRAVA_CLIENT_SECRET does not belong to it."
        )
    return None


def _credential_error(
    status: int, entries: list[ErrorEntry], credential: Credential
) -> MoodmilesError:
    match credential:
        case Credential.RUNNER:
            return _runner_error(status, entries)
        case Credential.TOKEN:
            return _token_error(status, entries)
        case Credential.APP:
            return RefusedByStrava(_reason(status, entries))


def _runner_error(status: int, entries: list[ErrorEntry]) -> MoodmilesError:
    if any(_is_missing_permission(entry) for entry in entries):
        return ScopeMissing("The runner has not allowed us to see activities.")
    if status == 401:
        return AccessRevoked("Strava no longer accepts this runner's access.")
    if status == 404 or any(entry.resource == "Activity" for entry in entries):
        return NotOnStrava("Strava does not show this to us.")
    return RefusedByStrava(_reason(status, entries))


def _token_error(status: int, entries: list[ErrorEntry]) -> MoodmilesError:
    for entry in entries:
        if entry.resource == "RefreshToken":
            return AccessRevoked("Strava no longer accepts this runner's access.")
        if entry.resource in CODE_RESOURCES or entry.field == "code":
            return CodeRefused("Strava's permission was used already or is too old.")
    return RefusedByStrava(_reason(status, entries))


def _is_inactive(entry: ErrorEntry) -> bool:
    return entry.resource == "Application" and entry.code == "Inactive"


def _is_app_credential(entry: ErrorEntry) -> bool:
    return entry.resource == "Application" and entry.field in {
        "",
        "client_id",
        "client_secret",
    }


def _is_missing_permission(entry: ErrorEntry) -> bool:
    return entry.code == "missing" and entry.field.endswith("permission")


def _reason(status: int, entries: list[ErrorEntry]) -> str:
    details = "; ".join(f"{entry.field} {entry.code}".strip() for entry in entries)
    return f"Strava refused ({status}): {details or 'no reason given'}."[
        :MAX_REASON_LENGTH
    ]


def _parse_entries(body: object) -> list[ErrorEntry]:
    """Read `errors`, which is a list by the book and other things in the wild."""
    listed = body.get("errors") if isinstance(body, Mapping) else None
    entries = listed if isinstance(listed, list) else [listed]
    return [_parse_entry(entry) for entry in entries if isinstance(entry, Mapping)]


def _parse_entry(entry: Mapping[Any, Any]) -> ErrorEntry:
    return ErrorEntry(
        resource=str(entry.get("resource") or ""),
        field=str(entry.get("field") or ""),
        code=str(entry.get("code") or ""),
    )
