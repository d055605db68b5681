"""Strava's ways of saying no, each with the status and body that Strava uses."""

from typing import Any


class Refusal(Exception):
    """An answer that is not the one asked for."""

    def __init__(
        self, status: int, message: str, *errors: tuple[str, str, str]
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {
            "message": message,
            "errors": [
                {"resource": resource, "field": field, "code": code}
                for resource, field, code in errors
            ],
        }


class Mistake(ValueError):
    """Somebody at the controls asked for what cannot be; the text says what."""


class NotHere(Mistake):
    """The thing asked for at the controls does not exist."""


def bad_request(resource: str, field: str, code: str) -> Refusal:
    return Refusal(400, "Bad Request", (resource, field, code))


def token_invalid() -> Refusal:
    return Refusal(401, "Authorization Error", ("Athlete", "access_token", "invalid"))


def scope_missing(permission: str) -> Refusal:
    return Refusal(
        401,
        "Authorization Error",
        ("AccessToken", f"{permission}_permission", "missing"),
    )


def client_invalid(field: str) -> Refusal:
    return Refusal(401, "Authorization Error", ("Application", field, "invalid"))


def inactive() -> Refusal:
    return Refusal(403, "Forbidden", ("Application", "Status", "Inactive"))


def full() -> Refusal:
    return Refusal(
        403,
        "Limit of connected athletes exceeded",
        ("Application", "athletes", "limit exceeded"),
    )


def activity_not_found() -> Refusal:
    return Refusal(404, "Resource Not Found", ("Activity", "", "not found"))


def too_many() -> Refusal:
    return Refusal(
        429, "Rate Limit Exceeded", ("Application", "rate limit", "exceeded")
    )
