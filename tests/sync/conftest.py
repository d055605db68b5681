"""The core is tested on both databases that it runs on."""

import pytest

from tests.conftest import prepare_empty_database


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    return prepare_empty_database(request, request.param)
