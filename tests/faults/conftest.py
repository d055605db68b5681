"""Faults are tried on both databases, with processes that can really be killed."""

from collections.abc import Iterator

import pytest

from tests.conftest import empty_tables
from tests.faults.worker_pool import Workshop


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    return empty_tables(request, request.param)


@pytest.fixture(scope="session")
def workshop() -> Iterator[Workshop]:
    with Workshop() as workshop:
        yield workshop
