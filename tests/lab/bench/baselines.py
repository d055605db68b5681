"""What an import is measured against: the least that it takes, and the library."""

import json
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from sqlalchemy.orm import Session
from stravalib import Client
from typing_extensions import override

from sync.database import connect, insert
from sync.models import Run
from sync.runs.rules import columns
from sync.strava import RemoteRun
from sync.strava.parse import parse
from tests.lab.bench.canned_strava import PAGE
from tests.lab.bench.linked_runner import RUNNER
from tests.support.clock import NOON


def floor(api_url: str, database_url: str) -> None:
    engine, http, page = connect(database_url), requests.Session(), 0
    while True:
        page += 1
        asked = {"page": page, "per_page": PAGE}
        answer = http.get(f"{api_url}/athlete/activities", params=asked, timeout=20)
        records = answer.json()
        if not records:
            return
        rows = [_row(record) for record in records]
        with Session(engine) as session, session.begin():
            statement = insert(session, Run.__table__)
            kept = {name: statement.excluded[name] for name in rows[0]}
            session.execute(
                statement.on_conflict_do_update(
                    index_elements=["source", "source_id"], set_=kept
                ),
                rows,
            )


def _row(record: dict[str, Any]) -> dict[str, Any]:
    run = parse(record)
    assert isinstance(run, RemoteRun)
    return columns(run) | {"runner_id": RUNNER, "fetched_at": NOON}


class _ToUs(HTTPAdapter):
    """Leads the library, which knows one address only, to the baked pages."""

    api_url = ""

    @override
    def send(self, request: requests.PreparedRequest, **options: Any) -> Any:  # type: ignore[override]
        asked = (request.url or "").removeprefix("https://www.strava.com/api/v3")
        request.url = self.api_url + asked
        return super().send(request, **options)


def library(api_url: str, database_url: str) -> None:
    http, engine = requests.Session(), connect(database_url)
    adapter = _ToUs()
    adapter.api_url = api_url
    http.mount("https://www.strava.com/", adapter)
    client = Client("token", rate_limit_requests=False, requests_session=http)
    with Session(engine) as session, session.begin():
        for number, one in enumerate(client.get_activities(limit=0)):
            row = _row(json.loads(one.model_dump_json()) | _as_sent(one))
            session.merge(Run(id=number + 1, **row))


def _as_sent(one: Any) -> dict[str, Any]:
    return {
        "start_date": f"{one.start_date:%Y-%m-%dT%H:%M:%SZ}",
        "start_date_local": f"{one.start_date_local:%Y-%m-%dT%H:%M:%SZ}",
        "sport_type": one.sport_type.root,
        "timezone": str(one.timezone),
        "utc_offset": 0.0,
        "athlete_count": 1,
        "visibility": "everyone",
    }
