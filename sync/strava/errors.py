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

FULL = ("connected athletes exceeded", "too many athletes", "too many accounts")
CODES = {"AuthorizationCode", "RequestToken"}
LONGEST_REASON = 200


class Door(Enum):
    """Which part of Strava answers: the same status means different things."""

    RUNNER = auto()  # with a runner's access token
    TOKEN = auto()  # a code or a refresh token, with our id and secret
    APP = auto()  # our id and secret alone


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of `errors` in a refusal's body."""

    resource: str
    field: str
    code: str


def meaning(status: int, body: object, door: Door) -> MoodmilesError | None:
    """Say what an answer other than a 429 means; None if it is not a refusal."""
    if 200 <= status < 300:
        return None
    if not 400 <= status < 500:
        return StravaUnavailable(f"Strava answered with status {status}.")
    faults = _faults(body)
    return _of_the_app(body, faults, door) or _of_the_door(status, faults, door)


def _of_the_app(body: object, faults: list[Fault], door: Door) -> MoodmilesError | None:
    """Look for what concerns everybody, whatever was asked for."""
    if any(_is_inactive(fault) for fault in faults):
        return AppInactive(
            "Strava has switched this app off: its owner needs a Strava subscription "
            "and then reactivates the app at strava.com/settings/api."
        )
    if any(phrase in str(body).lower() for phrase in FULL):
        return AppFull("Strava lets no more runners connect to this app.")
    if door is not Door.RUNNER and any(_is_our_name(fault) for fault in faults):
        return NotConfigured(
            "Strava does not know MOODMILES_STRAVA_CLIENT_ID, or "
            "MOODMILES_STRAVA_CLIENT_SECRET does not belong to it."
        )
    return None


def _of_the_door(status: int, faults: list[Fault], door: Door) -> MoodmilesError:
    match door:
        case Door.RUNNER:
            return _of_a_runner(status, faults)
        case Door.TOKEN:
            return _of_a_token(status, faults)
        case Door.APP:
            return RefusedByStrava(_reason(status, faults))


def _of_a_runner(status: int, faults: list[Fault]) -> MoodmilesError:
    if any(_is_missing_permission(fault) for fault in faults):
        return ScopeMissing("The runner has not allowed us to see activities.")
    if status == 401:
        return AccessRevoked("Strava no longer accepts this runner's access.")
    if status == 404 or any(fault.resource == "Activity" for fault in faults):
        return NotOnStrava("Strava does not show this to us.")
    return RefusedByStrava(_reason(status, faults))


def _of_a_token(status: int, faults: list[Fault]) -> MoodmilesError:
    for fault in faults:
        if fault.resource == "RefreshToken":
            return AccessRevoked("Strava no longer accepts this runner's access.")
        if fault.resource in CODES or fault.field == "code":
            return CodeRefused("Strava's permission was used already or is too old.")
    return RefusedByStrava(_reason(status, faults))


def _is_inactive(fault: Fault) -> bool:
    return fault.resource == "Application" and fault.code == "Inactive"


def _is_our_name(fault: Fault) -> bool:
    return fault.resource == "Application" and fault.field in {
        "",
        "client_id",
        "client_secret",
    }


def _is_missing_permission(fault: Fault) -> bool:
    return fault.code == "missing" and fault.field.endswith("permission")


def _reason(status: int, faults: list[Fault]) -> str:
    told = "; ".join(f"{fault.field} {fault.code}".strip() for fault in faults)
    return f"Strava refused ({status}): {told or 'no reason given'}."[:LONGEST_REASON]


def _faults(body: object) -> list[Fault]:
    """Read `errors`, which is a list by the book and other things in the wild."""
    listed = body.get("errors") if isinstance(body, Mapping) else None
    entries = listed if isinstance(listed, list) else [listed]
    return [_fault(entry) for entry in entries if isinstance(entry, Mapping)]


def _fault(entry: Mapping[Any, Any]) -> Fault:
    return Fault(
        resource=str(entry.get("resource") or ""),
        field=str(entry.get("field") or ""),
        code=str(entry.get("code") or ""),
    )
