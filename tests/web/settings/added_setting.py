"""Switches the setting of docs/adding.md on and off, on a copy that has it."""

import json
import sys

import web
from sync.models import Runner
from sync.runtime import build
from tests.sync.mail.conftest import build_settings
from tests.web.conftest import PageClient
from web.app import create_app

NAME = "plain_mails"


def main(database_url: str, runner_id: int) -> None:
    settings = build_settings(database_url, smtp_url="smtp://127.0.0.1:1")
    runtime = build(settings.model_copy(update={"public_url": "http://127.0.0.1"}))
    browser = PageClient(create_app(runtime).test_client(), runtime)
    browser.sign_in(runner_id)
    page = browser.open("/settings").text
    stored = []
    times = {"quiet_from": "22:00", "quiet_until": "07:00"}
    for switch in ({NAME: "1"}, {}):
        answer = browser.post("/settings", **times, **switch)
        assert answer.status_code == 303, answer.text
        with runtime.db.read_only() as session:
            preferences = session.get_one(Runner, runner_id).preferences
        stored.append(preferences.to_stored().get(NAME))
    print(json.dumps({"page": page, "stored": stored, "web": web.__file__}))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
