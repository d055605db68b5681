"""The core is tested on both databases that it runs on."""

import pytest

from tests.conftest import empty_tables


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    return empty_tables(request, request.param)
