"""Faults are tried on both databases, with processes that can really be killed."""

from collections.abc import Iterator

import pytest

from tests.conftest import prepare_empty_database
from tests.faults.worker_pool import WorkerPool


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    return prepare_empty_database(request, request.param)


@pytest.fixture(scope="session")
def worker_pool() -> Iterator[WorkerPool]:
    with WorkerPool() as worker_pool:
        yield worker_pool
