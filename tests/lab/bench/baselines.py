"""What an import is measured against: the least that it takes, and the library."""

import json
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from sqlalchemy.orm import Session
from stravalib import Client
from typing_extensions import override

from sync.database import dialect_insert, open_engine
from sync.models import Run
from sync.runs.rules import to_columns
from sync.strava import RemoteRun
from sync.strava.parse import parse_activity
from tests.lab.bench.canned_strava import PAGE
from tests.lab.bench.linked_runner import RUNNER
from tests.support.clock import NOON


def import_with_minimum(api_url: str, database_url: str) -> None:
    engine, http, page = open_engine(database_url), requests.Session(), 0
    while True:
        page += 1
        query = {"page": page, "per_page": PAGE}
        answer = http.get(f"{api_url}/athlete/activities", params=query, timeout=20)
        records = answer.json()
        if not records:
            return
        rows = [_row(record) for record in records]
        with Session(engine) as session, session.begin():
            statement = dialect_insert(session, Run.__table__)
            updated_columns = {name: statement.excluded[name] for name in rows[0]}
            session.execute(
                statement.on_conflict_do_update(
                    index_elements=["source", "source_id"], set_=updated_columns
                ),
                rows,
            )


def _row(record: dict[str, Any]) -> dict[str, Any]:
    run = parse_activity(record)
    assert isinstance(run, RemoteRun)
    return to_columns(run) | {"runner_id": RUNNER, "fetched_at": NOON}


class _RedirectAdapter(HTTPAdapter):
    """Leads the library, which knows one address only, to the baked pages."""

    api_url = ""

    @override
    def send(self, request: requests.PreparedRequest, **options: Any) -> Any:  # type: ignore[override]
        path = (request.url or "").removeprefix("https://www.strava.com/api/v3")
        request.url = self.api_url + path
        return super().send(request, **options)


def import_with_library(api_url: str, database_url: str) -> None:
    http, engine = requests.Session(), open_engine(database_url)
    adapter = _RedirectAdapter()
    adapter.api_url = api_url
    http.mount("https://www.strava.com/", adapter)
    client = Client("token", rate_limit_requests=False, requests_session=http)
    with Session(engine) as session, session.begin():
        for number, activity in enumerate(client.get_activities(limit=0)):
            row = _row(json.loads(activity.model_dump_json()) | _to_json(activity))
            session.merge(Run(id=number + 1, **row))


def _to_json(activity: Any) -> dict[str, Any]:
    return {
        "start_date": f"{activity.start_date:%Y-%m-%dT%H:%M:%SZ}",
        "start_date_local": f"{activity.start_date_local:%Y-%m-%dT%H:%M:%SZ}",
        "sport_type": activity.sport_type.root,
        "timezone": str(activity.timezone),
        "utc_offset": 0.0,
        "athlete_count": 1,
        "visibility": "everyone",
    }
