"""Every way in which Strava says no has one meaning for us."""

from typing import Any

import pytest

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
from sync.strava.errors import Credential, error_for

RUNNER, TOKEN, APP = Credential.RUNNER, Credential.TOKEN, Credential.APP


def build_error_body(
    resource: str, field: str, code: str, message: str = "No"
) -> dict[str, Any]:
    errors = [{"resource": resource, "field": field, "code": code}]
    return {"message": message, "errors": errors}


INACTIVE = build_error_body("Application", "Status", "Inactive", "Forbidden")
FULL = {"message": "Limit of connected athletes exceeded", "errors": []}


@pytest.mark.parametrize(
    ("status", "told", "credential", "expected"),
    [
        (
            400,
            build_error_body("RefreshToken", "refresh_token", "invalid"),
            TOKEN,
            AccessRevoked,
        ),
        (
            400,
            build_error_body("RefreshToken", "code", "invalid"),
            TOKEN,
            AccessRevoked,
        ),
        (
            401,
            build_error_body("RefreshToken", "refresh_token", "invalid"),
            TOKEN,
            AccessRevoked,
        ),
        (400, build_error_body("AuthorizationCode", "", "expired"), TOKEN, CodeRefused),
        (400, build_error_body("RequestToken", "code", "invalid"), TOKEN, CodeRefused),
        (
            400,
            build_error_body("Application", "client_id", "invalid"),
            TOKEN,
            NotConfigured,
        ),
        (
            401,
            build_error_body("Application", "client_secret", "invalid"),
            TOKEN,
            NotConfigured,
        ),
        (401, build_error_body("Application", "", "invalid"), TOKEN, NotConfigured),
        (
            401,
            build_error_body("Application", "client_id", "invalid"),
            APP,
            NotConfigured,
        ),
        (400, {}, TOKEN, RefusedByStrava),
        (401, None, TOKEN, RefusedByStrava),
        (403, FULL, TOKEN, AppFull),
        (403, {"message": "Too many athletes"}, TOKEN, AppFull),
        (
            403,
            build_error_body("Application", "key", "Too many accounts on that key"),
            TOKEN,
            AppFull,
        ),
        (403, INACTIVE, TOKEN, AppInactive),
        (403, INACTIVE, RUNNER, AppInactive),
        (403, INACTIVE, APP, AppInactive),
        (
            401,
            build_error_body("Athlete", "access_token", "invalid"),
            RUNNER,
            AccessRevoked,
        ),
        (401, build_error_body("Application", "", "invalid"), RUNNER, AccessRevoked),
        (401, None, RUNNER, AccessRevoked),
        (
            401,
            build_error_body("AccessToken", "activity:read_permission", "missing"),
            RUNNER,
            ScopeMissing,
        ),
        (403, build_error_body("Activity", "", "private"), RUNNER, NotOnStrava),
        (404, build_error_body("Activity", "", "not found"), RUNNER, NotOnStrava),
        (404, build_error_body("Activity", "id", "invalid"), RUNNER, NotOnStrava),
        (404, None, RUNNER, NotOnStrava),
        (404, None, APP, RefusedByStrava),
        (
            400,
            build_error_body("Application", "after", "future"),
            RUNNER,
            RefusedByStrava,
        ),
        (403, None, RUNNER, RefusedByStrava),
        (414, "too long", RUNNER, RefusedByStrava),
        (400, {"errors": "text"}, RUNNER, RefusedByStrava),
        (400, {"errors": ["text", None, 5]}, APP, RefusedByStrava),
        (400, {"errors": {"resource": "RequestToken"}}, TOKEN, CodeRefused),
        (500, None, RUNNER, StravaUnavailable),
        (503, None, TOKEN, StravaUnavailable),
        (597, None, RUNNER, StravaUnavailable),
        (302, None, RUNNER, StravaUnavailable),
    ],
)
def test_what_a_refusal_means(
    status: int, told: object, credential: Credential, expected: type[MoodmilesError]
) -> None:
    assert type(error_for(status, told, credential)) is expected


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_good_answer_is_no_refusal(status: int) -> None:
    assert error_for(status, INACTIVE, RUNNER) is None


def test_the_reason_is_given_in_strava_s_words() -> None:
    told = build_error_body(
        "PushSubscription", "callback url", "GET does not return 200"
    )

    refusal = error_for(400, told, APP)

    assert str(refusal) == (
        "Strava refused (400): callback url GET does not return 200."
    )
