"""Moods that follow weekday, hour or shifts make no sentence about running."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.analytics.dataset.build_history import HistoryContext, build_history
from sync.analytics.dataset.load import read_rows
from sync.analytics.panels.definition import (
    Comparison,
    GroupComparison,
    PairComparison,
    PanelDefinition,
    Sentence,
)
from sync.analytics.panels.discovery import list_panels
from sync.analytics.panels.mileage import MileageComparison
from sync.analytics.sentences import store
from sync.analytics.sentences.milestones import decide_question
from sync.analytics.stats.groups import estimate_difference
from sync.analytics.stats.rank_link import link
from sync.analytics.stats.series import (
    Floats,
    build_calendars,
    excludes_zero,
    measure_middle_hours,
)
from sync.analytics.stats.shape import fit_shape
from tests.sync.analytics.runner_data import FIRST, RunnerData

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
N = 240


def is_weekend(days: Floats) -> Floats:
    return (days % 7 >= 5).astype(float)


def is_off_shift(days: Floats) -> Floats:
    return (days % 6 >= 3).astype(float)


def draw_days(random: np.random.Generator, n: int = N) -> Floats:
    """Draw n days far from regular, so that no row tells the day of the week."""
    return np.sort(random.choice(np.arange(3.0 * n), n, replace=False))


@pytest.mark.parametrize("is_free", [is_weekend, is_off_shift])
def test_long_runs_on_free_days_are_no_link(
    is_free: Callable[[Floats], Floats],
) -> None:
    random = np.random.default_rng(3)
    days = draw_days(random)
    km = 6 + 8 * is_free(days) + random.normal(size=N)
    mood = 1.2 * is_free(days) + random.normal(size=N)

    found = link(km, mood, days)

    assert excludes_zero(found.season.interval(3))
    assert not found.is_certain_at(2.576)


def test_a_weekend_is_known_from_day_nought_which_was_a_monday() -> None:
    """Below 60 pairs there is one column: only true weekends are taken out."""
    random = np.random.default_rng(4)
    days = draw_days(random, 59)
    km = is_weekend(days) + 0.3 * random.normal(size=59)
    mood = is_weekend(days) + 0.3 * random.normal(size=59)

    assert not link(km, mood, days).claim
    assert link(km, mood, days + 3).claim


def test_long_runs_in_the_morning_are_no_link() -> None:
    random = np.random.default_rng(5)
    days, hours = draw_days(random), random.choice([7.0, 8.0, 18.0, 20.0], N)
    km = 14 - 0.5 * hours + random.normal(size=N)
    mood = -0.12 * hours + random.normal(size=N)

    assert link(km, mood, days).is_certain_at(3)
    assert not link(km, mood, days, hours=hours).claim


@pytest.mark.parametrize("is_free", [is_weekend, is_off_shift])
def test_company_on_free_days_is_no_difference(
    is_free: Callable[[Floats], Floats],
) -> None:
    random = np.random.default_rng(6)
    days = draw_days(random)
    is_together = random.random(N) < 0.15 + 0.7 * is_free(days)
    mood = 1.2 * is_free(days) + random.normal(size=N)

    found = estimate_difference(mood, is_together, days)

    assert excludes_zero(found.i99)
    assert not found.is_claim


def test_a_best_week_is_not_that_of_the_hour() -> None:
    """Let the week's distance and mood both go by the hour at which is asked."""
    random = np.random.default_rng(7)
    days, hours = draw_days(random), random.choice([7.0, 8.0, 18.0, 20.0], N)
    week_km = 30 - hours + 2 * random.normal(size=N)
    mood = np.round(np.clip(1 - 0.1 * hours + random.normal(size=N), -2, 2))

    as_it_is, allowed = (
        fit_shape(week_km, mood, days),
        fit_shape(week_km, mood, days, hours=hours),
    )

    assert as_it_is is not None
    assert allowed is not None
    assert as_it_is.p < 0.01 < allowed.p


def test_a_true_link_within_the_week_is_still_told() -> None:
    random = np.random.default_rng(8)
    days = draw_days(random)
    km = 6 + 8 * is_weekend(days) + 3 * random.normal(size=N)
    mood = 0.3 * (km - 8 * is_weekend(days)) + random.normal(size=N)

    assert link(km, mood, days).is_certain_at(3)


def test_time_of_day_keeps_its_own_hour_and_other_questions_do_not() -> None:
    random = np.random.default_rng(9)
    hours = random.choice([7.0, 8.0, 18.0, 20.0], N)
    days = draw_days(random) + hours / 24
    comparison = GroupComparison(
        values=random.normal(size=N) + 1.0 * (hours < 12),
        in_first=hours < 12,
        days=days,
        run_ids=np.arange(N),
    )

    of_hours, of_others = (
        replace(comparison, is_about_hours=is_about_hours).draw(None).difference
        for is_about_hours in (True, False)
    )

    assert of_hours is not None
    assert of_others is not None
    assert of_hours.is_claim
    assert not of_others.is_claim


@pytest.mark.parametrize(
    ("hours", "middle_half"),
    [
        ([23.0, 1.0] * 20, 2.0),
        ([7.0, 19.0] * 20, 12.0),
        ([9.0] * 39 + [21.0], 0.0),
        (np.linspace(8, 20, 41), 6.0),
        (np.linspace(20, 32, 41) % 24, 6.0),
    ],
)
def test_hours_around_midnight_are_neighbors(
    hours: list[float], middle_half: float
) -> None:
    assert measure_middle_hours(np.array(hours)) == pytest.approx(middle_half)


@pytest.mark.parametrize(
    ("n", "weekdays", "hours", "df"),
    [
        (59, range(7), None, 1 + 1),
        (60, range(7), None, 1 + 6),
        (60, range(7), [6, 12, 20], 1 + 6 + 2),
        (60, range(7), [12, 13], 1 + 6),  # the middle half spans an hour
        (60, range(7), [6, 18], 1 + 6 + 1),  # a sine that is a cosine
        (60, range(1, 6), None, 1 + 4),  # never on Mondays nor Sundays
        (59, range(5), None, 1),  # never at weekends
        (60, [2], None, 1),
        (60, [5], [6, 12, 20], 1 + 2),
    ],
)
def test_each_column_that_tells_something_costs_a_degree_of_freedom(
    n: int, weekdays: range, hours: list[int] | None, df: int
) -> None:
    random = np.random.default_rng(10)
    days = np.array([date.toordinal(date(2001, 1, 1)) - 1 + d for d in range(180)])
    some = np.sort(random.choice(days[np.isin(days % 7, weekdays)][:140], n, True))
    clock = None if hours is None else np.array((hours * n)[:n], dtype=float)

    found = build_calendars(some.astype(float), clock)

    assert found.full.df == df
    assert found.full.basis.T @ found.full.basis == pytest.approx(np.eye(df + 1))


@pytest.mark.parametrize(
    ("answered_at", "is_check_in", "weekday", "hour"),
    [
        ("2026-03-01T22:30", False, 6, 23.5),  # a Sunday at the run's hour ahead
        ("2026-03-01T23:30", False, 0, 0.5),
        ("2026-07-05T22:30", False, 6, 23.5),  # the run's clock stayed where it was
        ("2026-07-05T22:30", True, 0, 0.5),  # two hours ahead in a summer of Berlin
        ("2026-03-29T00:59", True, 6, 1.0 + 59 / 60),
        ("2026-03-29T01:00", True, 6, 3.0),  # the hour that there was not
    ],
)
def test_the_day_and_the_hour_are_those_where_the_runner_is(
    runner_data: RunnerData,
    answered_at: str,
    weekday: int,
    hour: float,
    *,
    is_check_in: bool,
) -> None:
    since_first = datetime.fromisoformat(answered_at).replace(tzinfo=UTC) - FIRST
    hours = since_first / timedelta(hours=1)
    if is_check_in:
        runner_data.add_checkin(hours / 24 - 5 / 24, 1)
    else:
        runner_data.add_run(
            1, 10, 1, hours_later=hours - 26, answered_h=2 - 3700 / 3600
        )

    with runner_data.runtime.db.read_only() as session:
        zone = store.load_runner_snapshot(session, runner_data.runner_id).zone
        rows = read_rows(session, runner_data.runner_id, runner_data.vault)
    context = HistoryContext(zone=zone, asked_count=0, today=NOW.toordinal())
    (day,) = build_history(rows, context=context).answer_days

    assert int(day) % 7 == weekday
    assert day % 1 * 24 == pytest.approx(hour, abs=0.01)


SENTENCES: Mapping[str, Sentence] = {
    verdict: Sentence(f"{verdict}.")
    for verdict in ("higher", "lower", "none", "best", "early")
}


def build_panel(comparison: str) -> PanelDefinition:
    return PanelDefinition(
        name=comparison,
        position=1,
        title=comparison,
        sentences=SENTENCES,
        compare=lambda _: None,
    )


@dataclass(frozen=True)
class LifeTruth:
    """What moves what a runner does, and the mood, in n answers."""

    seed: int
    n: int
    strength: float
    on_free_days: float
    drift: float

    def build_comparison(self, kind: str) -> Comparison:
        n, random = self.n, np.random.default_rng(self.seed)
        days = draw_days(random, n) + random.choice([7.0, 12.0, 19.0], n) / 24
        moved = self.on_free_days * is_weekend(np.floor(days))
        moved = moved + self.drift * np.linspace(-1, 1, n)
        behavior = random.normal(size=n) + moved
        values = self.strength * behavior + moved + random.normal(size=n)
        values = np.clip(np.round(values), -2.0, 2.0).astype(np.float64)
        ids = np.arange(n)
        if kind == "group":
            return GroupComparison(
                values=values, in_first=behavior > 0, days=days, run_ids=ids
            )
        if kind == "pair":
            return PairComparison(x=behavior, y=values, days=days)
        metres = 1000 * np.exp(2 + 0.4 * behavior)
        return MileageComparison(metres, 3 * metres, values, days, ids)


LIVES = st.builds(
    LifeTruth,
    seed=st.integers(0, 10_000),
    n=st.integers(30, 130),
    strength=st.floats(-1.2, 1.2),
    on_free_days=st.floats(-1.5, 1.5),
    drift=st.floats(-2, 2),
)


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(["group", "pair", "mileage"]), life=LIVES)
def test_a_drawn_line_never_contradicts_its_sentence(
    kind: str, life: LifeTruth
) -> None:
    """Where the longest line leaves zero out, a claim stands or a note says why not."""
    comparison = life.build_comparison(kind)
    decision = decide_question(comparison.build_question(kind), None, now=NOW)

    drawn = build_panel(kind).draw(comparison, decision, "km")

    if drawn.words_interval is None or decision is None:
        return
    low, high = drawn.words_interval
    narrow_low, narrow_high = (
        drawn.link.i95
        if drawn.link
        else drawn.difference.i95
        if drawn.difference
        else (low, high)
    )
    is_told = {"higher": low > 0, "lower": high < 0, "none": low <= 0 <= high}
    assert low <= narrow_low
    assert narrow_high <= high
    assert is_told.get(drawn.verdict, True) or any(
        note.startswith("Decided from the first") for note in drawn.notes
    )


def test_every_headline_says_what_was_allowed_for_and_what_cannot_be() -> None:
    n = 60
    values = np.zeros(n)
    fixed = [panel for panel in list_panels() if panel.is_fixed]

    for panel in fixed:
        comparison = PairComparison(x=values, y=values, days=np.arange(60.0))
        notes = " ".join(panel.draw(comparison, None, "km").notes)
        for what in ("weekday", "time of day", "feel well", "bad days", "illness"):
            assert what in notes
    assert len(fixed) == 3
