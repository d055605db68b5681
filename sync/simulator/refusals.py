"""Strava's refusals, each with the status and body that Strava uses."""

from typing import Any


class SimulatedApiError(Exception):
    """A refusal, with the status and the body of the response."""

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


class InvalidCommand(ValueError):
    """A command at the controls that cannot be executed; the text says why."""


class UnknownRecord(InvalidCommand):
    """A command names a record that does not exist."""


def bad_request(resource: str, field: str, code: str) -> SimulatedApiError:
    return SimulatedApiError(400, "Bad Request", (resource, field, code))


def invalid_token() -> SimulatedApiError:
    return SimulatedApiError(
        401, "Authorization Error", ("Athlete", "access_token", "invalid")
    )


def missing_scope(permission: str) -> SimulatedApiError:
    return SimulatedApiError(
        401,
        "Authorization Error",
        ("AccessToken", f"{permission}_permission", "missing"),
    )


def invalid_client(field: str) -> SimulatedApiError:
    return SimulatedApiError(
        401, "Authorization Error", ("Application", field, "invalid")
    )


def app_inactive() -> SimulatedApiError:
    return SimulatedApiError(403, "Forbidden", ("Application", "Status", "Inactive"))


def athlete_limit_exceeded() -> SimulatedApiError:
    return SimulatedApiError(
        403,
        "Limit of connected athletes exceeded",
        ("Application", "athletes", "limit exceeded"),
    )


def activity_not_found() -> SimulatedApiError:
    return SimulatedApiError(404, "Resource Not Found", ("Activity", "", "not found"))


def rate_limit_exceeded() -> SimulatedApiError:
    return SimulatedApiError(
        429, "Rate Limit Exceeded", ("Application", "rate limit", "exceeded")
    )
