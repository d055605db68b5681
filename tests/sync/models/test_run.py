"""When a run ended, and when it began on the runner's own clock."""

from datetime import UTC, datetime

from sync.models import Run

BEFORE_MIDNIGHT = datetime(2026, 10, 3, 23, 30, tzinfo=UTC)


def build_run(*, start_known: bool) -> Run:
    return Run(
        started_at=BEFORE_MIDNIGHT,
        start_known=start_known,
        offset_s=2 * 3600,
        moving_s=1500,
        elapsed_s=1800,
        trusted_elapsed_s=1800,
    )


def test_a_run_ends_after_its_breaks() -> None:
    assert build_run(start_known=True).ended_at == datetime(2026, 10, 4, tzinfo=UTC)


def test_the_local_start_is_on_the_run_s_own_clock() -> None:
    assert build_run(start_known=True).started_local == datetime(2026, 10, 4, 1, 30)  # noqa: DTZ001


def test_a_hidden_start_is_not_shown() -> None:
    assert build_run(start_known=False).started_local is None
