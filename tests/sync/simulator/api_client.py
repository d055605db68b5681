"""An app as it speaks to Strava, for tests that need no socket."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

SCOPE = "read,activity:read"
SCOPE_ALL = "read,activity:read_all"
REDIRECT = "http://localhost/back"
CLIENT = {"client_id": "1", "client_secret": "simulated"}


@dataclass(frozen=True)
class SimulatorClient:
    http: FlaskClient

    def ask_consent(self, **changes: str) -> TestResponse:
        return self.http.get("/oauth/authorize", query_string=_request(changes))

    def decide(
        self,
        *,
        athlete: int,
        scopes: list[str],
        decision: str = "authorize",
        **asks: str,
    ) -> TestResponse:
        return self.http.post(
            "/oauth/authorize",
            query_string=_request(asks),
            data={"athlete": athlete, "scope": scopes, "decision": decision},
        )

    def code(self, athlete: int, scope: str = SCOPE) -> str:
        answer = self.http.post(
            f"/control/athletes/{athlete}/grant", json={"scope": scope}
        )
        return str(answer.json["code"]) if answer.json else ""

    def token(self, **form: str) -> TestResponse:
        return self.http.post("/oauth/token", data=CLIENT | form)

    def exchange(self, code: str, **changes: str) -> TestResponse:
        form = {"grant_type": "authorization_code", "code": code}
        return self.token(**form | changes)

    def refresh(self, token: str) -> TestResponse:
        return self.token(grant_type="refresh_token", refresh_token=token)

    def link(self, athlete: int, scope: str = SCOPE) -> dict[str, Any]:
        pair = self.exchange(self.code(athlete, scope)).json
        assert pair is not None
        return dict(pair)

    def get(self, path: str, token: str, **query: int | str) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}"}
        return self.http.get(f"/api/v3{path}", query_string=query, headers=headers)

    def list_ids(self, token: str, **query: int) -> list[int]:
        answer = self.get("/athlete/activities", token, **query)
        return [activity["id"] for activity in answer.json or []]

    def finish_run(self, athlete: int, **fields: Any) -> int:
        answer = self.http.post(f"/control/athletes/{athlete}/runs", json=fields)
        assert answer.json is not None
        assert answer.status_code == 201, answer.json
        return int(answer.json["id"])


def read_error(answer: TestResponse) -> tuple[int, str, str, str]:
    """Give an answer's status and the first error that it names."""
    assert answer.json is not None
    first = answer.json["errors"][0]
    return answer.status_code, first["resource"], first["field"], first["code"]


def read_redirect(answer: TestResponse) -> dict[str, str]:
    query = parse_qs(urlsplit(answer.location or "").query, keep_blank_values=True)
    return {name: values[0] for name, values in query.items()}


def _request(changes: dict[str, str]) -> dict[str, str]:
    usual = {
        "client_id": "1",
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": SCOPE,
        "state": "abc",
    }
    return usual | changes
