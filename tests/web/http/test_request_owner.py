"""What may take long waits for its turn; what everybody needs does not."""

import pytest

from web.http.request_owner import find_owner


@pytest.mark.parametrize(
    ("path", "cookie", "owner"),
    [
        ("/dashboard", "moodmiles=ada", "ada"),
        ("/dashboard", "moodmiles-browser=x; moodmiles=ada", "ada"),
        ("/runs/1/count", "moodmiles=ada", "ada"),
        ("/a-page-to-come", "moodmiles=ada", "ada"),
        ("/dashboard", "moodmiles-browser=ada", None),
        ("/dashboard", "moodmiles=", None),
        ("/dashboard", "", None),
        ("/dashboard", "\x00;;==;moodmiles", None),
        ("/", "moodmiles=ada", None),
        ("/static/app.js", "moodmiles=ada", None),
        ("/healthz", "moodmiles=ada", None),
        ("/hooks/strava/secret", "moodmiles=ada", None),
        ("/connect/callback", "", "waits for Strava"),
        ("/connect/callback", "moodmiles=ada", "waits for Strava"),
        ("/address/undo/token", "", "waits for Strava"),
        ("/states/runs-10000", "", "made-up runners"),
        ("/s/token", "", None),
    ],
)
def test_a_request_waits_for_the_turn_of_whoever_makes_it(
    path: str, cookie: str, owner: str | None
) -> None:
    environ = {"PATH_INFO": path, "HTTP_COOKIE": cookie}

    assert find_owner(environ, sign_in_cookie="moodmiles") == owner
