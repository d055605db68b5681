"""The description of our addresses is true, and whatever is sent to them is borne."""

import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import given, settings
from hypothesis.strategies import DataObject, SearchStrategy, booleans, data, one_of
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.test import TestResponse

from sync.inbox import subscription
from sync.runtime import Runtime
from tests.support.harness import Harness
from tests.support.outbox_reader import read_pending_token
from tests.support.page_fixtures import build_fresh_run
from tests.support.paths import ROOT
from tests.web.conftest import PageClient
from web.app import create_app

pytestmark = pytest.mark.slow

SCHEMA = schemathesis.openapi.from_path(ROOT / "docs" / "openapi.yaml")
OPERATIONS: list[Any] = [
    found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)
]
# Only on this machine, or no more than a page to look at.
UNLISTED = ("mailbox", "fixtures", "static", "offline")
PROGRAMS = (".json", ".csv", ".txt", ".zip", ".webmanifest")
EXAMPLES = 6
HOME = "http://127.0.0.1:8000"
OURS = ("Content-Type", "Authorization", "X-Strava-Signature")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def list_described() -> set[tuple[str, str]]:
    return {(operation.method.upper(), operation.path) for operation in OPERATIONS}


def list_offered(app: Flask) -> Iterator[tuple[str, str]]:
    """Yield each method and path that takes something or answers a program."""
    for rule in app.url_map.iter_rules():
        blueprint = rule.endpoint.partition(".")[0]
        if blueprint in UNLISTED:
            continue
        for path in normalise_path(re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)):
            for method in (rule.methods or set()) & {"GET", "POST"}:
                if method == "POST" or is_for_programs(blueprint, path):
                    yield method, path


def normalise_path(path: str) -> Iterator[str]:
    """Yield the path with each word where a rule lists some."""
    listed = re.search(r"<any\(([^)]*)\):\w+>", path)
    if listed is None:
        yield path
        return
    for word in listed[1].split(","):
        yield path.replace(listed[0], word.strip())


def is_for_programs(blueprint: str, path: str) -> bool:
    return blueprint in {"health", "webhooks"} or path.endswith(
        (*PROGRAMS, "/callback")
    )


def test_every_address_that_takes_something_is_described(runtime: Runtime) -> None:
    assert set(list_offered(create_app(runtime))) == list_described()


def send_case(browser: PageClient, case: Any) -> TestResponse:
    """Send a made-up request as our page would: with a form's token, where asked."""
    sent = case.as_transport_kwargs(base_url=HOME)
    data = sent.get("data")
    if isinstance(data, dict) and "csrf" in data:
        data["csrf"] = browser.get_csrf_token()
    if "json" in sent:
        data = json.dumps(sent["json"])
    return browser.client.open(
        sent["url"].removeprefix(HOME),
        method=case.method,
        data=data,
        query_string=sent["params"],
        headers=[header for header in sent["headers"].items() if header[0] in OURS],
    )


def build_cases(operation: Any) -> SearchStrategy[Any]:
    """Return requests that fit the description, and some that do not."""
    fitting: SearchStrategy[Any] = operation.as_strategy()
    if not operation.body and not operation.query and not operation.path_parameters:
        return fitting
    unfit = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    return one_of(fitting, unfit)


@pytest.fixture
def example_ids(harness: Harness, runtime: Runtime) -> dict[str, Any]:
    """Return a runner, and ids that lead somewhere."""
    runner_id, run_id = build_fresh_run(harness)
    subscription.save(runtime, 1)
    return {
        "runner": runner_id,
        "run_id": run_id,
        "token": read_pending_token(runtime),
        "secret": "hook",
    }


@pytest.mark.parametrize("part", sorted({one.path.split("/")[1] for one in OPERATIONS}))
def test_whatever_is_sent_is_answered_as_described(
    part: str, browser: PageClient, example_ids: dict[str, Any]
) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True)
    @given(data())
    def holds(draw: DataObject) -> None:
        for operation in OPERATIONS:
            if operation.path.split("/")[1] != part:
                continue
            case = draw.draw(build_cases(operation))
            for name in (case.path_parameters or {}).keys() & example_ids.keys():
                if draw.draw(booleans()):
                    case.path_parameters[name] = example_ids[name]
            browser.sign_in(example_ids["runner"])
            answer = send_case(browser, case)

            assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
            case.validate_response(answer, checks=CHECKS)

    holds()
