"""Time zones that this machine knows, and those that it does not."""

from datetime import UTC, datetime

import pytest

from sync.time_zones import get_zone, is_known_zone, to_local

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


def test_a_known_zone_has_its_own_clocks() -> None:
    local = to_local(NOON, "Europe/Berlin")

    assert (local.hour, local.tzname()) == (13, "CET")


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "a\x00b", "."])
def test_an_unknown_zone_is_utc(name: str) -> None:
    assert not is_known_zone(name)
    assert get_zone(name).key == "UTC"
    assert to_local(NOON, name) == NOON
