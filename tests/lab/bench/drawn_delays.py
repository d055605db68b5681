"""Measure the panel about drawn delays on invented runners whose decay is known.

Run it with `python -m tests.lab.bench.drawn_delays [RUNNERS]`; docs/figures.md keeps
what it printed.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
from scipy.signal import lfilter

from sync.analytics.dataset.history import (
    SECONDS_PER_DAY,
    AnswerArrays,
    DelayArrays,
    History,
    RunArrays,
)
from sync.analytics.panels.asked_delay import DelayComparison, compare_drawn_delays
from sync.analytics.panels.definition import estimate_link
from sync.analytics.panels.hours_since import pair_hours_since
from sync.analytics.stats.random_delay import (
    compare_delays,
    estimate_delay_slope,
    is_delay_claim,
)
from sync.analytics.stats.series import Z_EXPLORATORY, Flags, Floats, Ints
from sync.preferences import Preferences
from sync.surveys.policy.delay_sampling import list_offered_delays
from sync.surveys.policy.parameters import Policy
from sync.surveys.policy.situation import RunFacts, Situation
from tests.lab.bench.simulated_runners import EPOCH, FIRST_DAY, STEPS

END_HOURS = (7.5, 8.5, 13.0, 18.0, 19.0)
DELAYS_H = np.array(Policy().drawn_delays_h)
LOOKS = (30, 60, 120)
TRUTH_RUNS = 200_000
Answering = Literal["at random", "less on bad days", "less the later asked"]
ANSWERING: tuple[Answering, ...] = (
    "at random",
    "less on bad days",
    "less the later asked",
)


@dataclass(frozen=True, slots=True)
class DecayTruth:
    """What is true of an invented runner.

    lift         how many standard deviations a run lifts mood as it ends
    half_life_h  hours until half of it is gone
    persistence  day-to-day correlation of mood
    answering    on what it depends whether a question is answered, 60 % or so
    by_day       how strongly bad days put off the answer
    clock        size of a wave of 24 hours in mood, in standard deviations
    """

    lift: float
    half_life_h: float = 3.0
    persistence: float = 0.6
    answering: Answering = "at random"
    by_day: float = 0.6
    clock: float = 0.0


def list_offered(end_hour: float) -> tuple[int, ...]:
    """Return what the product offers after a run that ended at this hour."""
    ended_at = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(hours=end_hour)
    run = RunFacts(
        run_id=1,
        started_at=ended_at - timedelta(hours=1),
        ended_at=ended_at,
        learned_at=ended_at,
        local_day=ended_at.date(),
        distance_m=8000.0,
        moving_s=3000,
        is_manual=False,
    )
    situation = Situation(
        has_address=True,
        preferences=Preferences(random_delay=True),
        zone=ZoneInfo("UTC"),
        recent_questions=(),
        runs_at_once=1,
        is_newest=True,
        runs_since_asked=0,
    )
    return list_offered_delays(run, situation, Policy(), now=ended_at)


ODDS = np.array(
    [
        np.isin(DELAYS_H, list_offered(end_hour)) / len(list_offered(end_hour))
        for end_hour in END_HOURS
    ]
)


@dataclass(slots=True)
class DecaySimulator:
    """Makes runners with one truth; each runs every other day or so."""

    truth: DecayTruth
    random: np.random.Generator

    def simulate_drawn(self, answers: int) -> DelayComparison:
        """Ask at drawn hours until there are this many answers."""
        runs, level = self._simulate_runs(4 * answers)
        odds = ODDS[np.searchsorted(END_HOURS, runs.start_hour + 1)]
        uniform = self.random.random((len(odds), 1))
        drawn = (odds.cumsum(axis=1) <= uniform).sum(axis=1)
        delay_h = DELAYS_H[np.minimum(drawn, len(DELAYS_H) - 1)]
        lag_h = 0.7 * self._put_off(level)
        mood = self._observe(level, runs, delay_h + lag_h)
        chosen = self._choose(mood, delay_h, answers)
        asked = slice(int(chosen[-1]) + 1)
        answer = np.full(len(odds), -1)
        answer[chosen] = np.arange(len(chosen))
        history = self._build_history(runs, chosen, mood, delay_h + lag_h)
        delays = DelayArrays(
            run=np.arange(len(odds))[asked],
            answer=answer[asked],
            delay_h=delay_h[asked],
            offered_h=DELAYS_H,
            odds=odds[asked],
            asks_s=(runs.ended_s + delay_h * 3600)[asked],
            is_sent=np.ones(len(odds), dtype=np.bool_)[asked],
            is_answered=(answer >= 0)[asked],
        )
        comparison = compare_drawn_delays(replace(history, delays=delays))
        assert comparison is not None
        return comparison

    def simulate_habit(self, answers: int) -> History:
        """Ask half an hour after each run; the runner answers when it suits."""
        runs, level = self._simulate_runs(4 * answers)
        hours = np.minimum(0.5 + 2.5 * self._put_off(level), 23.0)
        mood = self._observe(level, runs, hours)
        chosen = self._choose(mood, np.zeros(len(mood)), answers)
        return self._build_history(runs, chosen, mood, hours)

    def _simulate_runs(self, count: int) -> tuple[RunArrays, Floats]:
        """Return runs, and the day's mood at each, standard normal."""
        days = np.cumsum(self.random.integers(1, 4, count))
        persistence = self.truth.persistence
        noise = self.random.normal(size=int(days[-1]) + 1)
        noise *= (1 - persistence**2) ** 0.5
        noise[0] /= (1 - persistence**2) ** 0.5
        level = lfilter([1], [1, -persistence], noise)[days]
        end_hour = self.random.choice(END_HOURS, count)
        local_day = (FIRST_DAY + days).astype(np.int64)
        ended_s = (local_day - EPOCH) * SECONDS_PER_DAY + end_hour * 3600
        metres = np.full(count, 8000.0)
        runs = RunArrays(
            id=np.arange(1, count + 1),
            started_s=ended_s - 3600,
            ended_s=ended_s,
            local_day=local_day,
            start_hour=end_hour - 1,
            distance_m=metres,
            moving_s=np.full(count, 3000.0),
            is_race=np.zeros(count, dtype=np.bool_),
            place=np.zeros(count, dtype=np.int64),
            is_with_others=np.zeros(count, dtype=np.bool_),
        )
        return runs, np.asarray(level, dtype=np.float64)

    def _put_off(self, level: Floats) -> Floats:
        """Return waiting times of mean 1 on a usual day, longer on bad days."""
        factor = np.exp(-self.truth.by_day * level)
        return np.asarray(self.random.exponential(1, len(level)) * factor)

    def _observe(self, level: Floats, runs: RunArrays, hours: Floats) -> Floats:
        """Return moods on the five steps; a tenth of their variance is the moment's."""
        lift = self.truth.lift * 0.5 ** (hours / self.truth.half_life_h)
        moment = self.random.normal(size=len(level))
        hour = runs.start_hour + 1 + hours
        wave = 2**0.5 * self.truth.clock * np.sin((hour - 6) * 2 * np.pi / 24)
        latent = 0.9**0.5 * level + 0.1**0.5 * moment + lift + wave
        return np.asarray(np.digitize(latent, STEPS) - 2, dtype=np.float64)

    def _choose(self, mood: Floats, delay_h: Floats | Ints, answers: int) -> Ints:
        """Return the rows of the first answers; fewer if so many do not come."""
        logit = {
            "at random": np.full(len(mood), 0.4),
            "less on bad days": 0.4 + 0.4 * (mood - 0.3),
            "less the later asked": 1.0 - 0.2 * delay_h,
        }[self.truth.answering]
        is_answered = self.random.random(len(mood)) < 1 / (1 + np.exp(-logit))
        return np.asarray(np.flatnonzero(is_answered)[:answers], dtype=np.int64)

    def _build_history(
        self, runs: RunArrays, chosen: Ints, mood: Floats, hours: Floats
    ) -> History:
        answered_s = (runs.ended_s + hours * 3600)[chosen]
        nothing = np.full(len(chosen), np.nan)
        answers = AnswerArrays(
            run=chosen,
            is_checkin=np.zeros(len(chosen), dtype=np.bool_),
            answered_s=answered_s,
            local_day=(np.floor(answered_s / SECONDS_PER_DAY) + EPOCH).astype(np.int64),
            local_hour=answered_s / 3600 % 24,
            mood=mood[chosen],
            stress=nothing,
            before=nothing,
            company=nothing,
            place=nothing,
        )
        return History(runs, answers, asked_count=len(runs.id), today=0)


@dataclass(frozen=True, slots=True)
class KnownDecay:
    """What a runner of this truth would show in endless answers to every question."""

    slope: float
    after_two_h: float


def compute_truth(truth: DecayTruth, random: np.random.Generator) -> KnownDecay:
    complete = replace(truth, answering="at random")
    draws = DecaySimulator(complete, random).simulate_drawn(TRUTH_RUNS).draws
    slope = estimate_delay_slope(draws).value
    return KnownDecay(slope, compare_delays(draws)[2].difference)


def covers(interval: tuple[float, float], value: float) -> bool:
    return interval[0] <= value <= interval[1]


def measure_coverage(
    truth: DecayTruth, runners: int, random: np.random.Generator
) -> Iterable[float]:
    """Yield the coverage of both intervals at each look, in shares."""
    known, maker = compute_truth(truth, random), DecaySimulator(truth, random)
    for answers in LOOKS:
        slopes = contrasts = compared = 0
        for _ in range(runners):
            draws = maker.simulate_drawn(answers).draws
            slopes += covers(estimate_delay_slope(draws).i95, known.slope)
            by_hours = compare_delays(draws)
            if {0, 2} <= by_hours.keys():  # else too few came straight away
                compared += 1
                contrasts += covers(by_hours[2].i95, known.after_two_h)
        yield slopes / runners
        yield contrasts / compared if compared else float("nan")


@dataclass(slots=True)
class DelayPicture:
    """Estimates of the same decay in one way of asking."""

    slopes: list[float]
    widths: list[float]
    hits: int = 0
    claims: int = 0

    def summarize(self, true_slope: float, runners: int) -> list[str]:
        errors = np.array(self.slopes) - true_slope
        return [
            f"{errors.mean():+.3f}",
            f"{np.sqrt((errors**2).mean()):.3f}",
            f"{np.mean(self.widths):.3f}",
            f"{100 * self.hits / runners:.1f}",
            f"{100 * self.claims / runners:.1f}",
        ]


def compare_pictures(
    truth: DecayTruth, answers: int, runners: int, random: np.random.Generator
) -> tuple[DelayPicture, DelayPicture, float]:
    """Return what drawn hours and habitual hours say, and the true slope."""
    known, maker = compute_truth(truth, random), DecaySimulator(truth, random)
    drawn, habit = DelayPicture([], []), DelayPicture([], [])
    for _ in range(runners):
        comparison = maker.simulate_drawn(answers)
        slope = estimate_delay_slope(comparison.draws)
        drawn.slopes.append(slope.value)
        drawn.widths.append(slope.i95[1] - slope.i95[0])
        drawn.hits += covers(slope.i95, known.slope)
        drawn.claims += slope.value < 0 and is_delay_claim(comparison.draws)
        pairs = pair_hours_since(maker.simulate_habit(answers))
        value, error = fit_line(pairs.x, pairs.y, pairs.x <= 7)
        habit.slopes.append(value)
        habit.widths.append(2 * 1.96 * error)
        habit.hits += covers((value - 1.96 * error, value + 1.96 * error), known.slope)
        said = estimate_link(pairs.x, pairs.y, pairs.days, Z_EXPLORATORY)
        habit.claims += said.rho < 0 and said.is_certain_at(Z_EXPLORATORY)
    return drawn, habit, known.slope


def fit_line(x: Floats, y: Floats, mask: Flags) -> tuple[float, float]:
    """Return the slope of least squares and White's standard error of it."""
    x, y = x[mask] - x[mask].mean(), y[mask]
    slope = float(x @ y) / float(x @ x)
    errors = y - y.mean() - slope * x
    return slope, float(np.sqrt(x**2 @ errors**2)) / float(x @ x)


def print_header(title: str, *names: object) -> None:
    print(f"\n{title}\n\n| {' | '.join(str(name) for name in names)} |")
    print("|" + "---|" * len(names))


def print_coverage(runners: int, random: np.random.Generator) -> None:
    print_header(
        f"% of {runners} runners whose 95 % interval holds the truth",
        *("lift (SD)", "mood phi", "answered"),
        *(f"{name}, n={n}" for n in LOOKS for name in ("slope", "2 h")),
    )
    for lift in (0.0, 1.0):
        for persistence in (0.3, 0.85):
            for answering in ANSWERING:
                truth = DecayTruth(lift, persistence=persistence, answering=answering)
                shares = measure_coverage(truth, runners, random)
                cells = [f"{100 * share:.1f}" for share in shares]
                label = f"{lift} | {persistence} | {answering}"
                print(f"| {label} | {' | '.join(cells)} |", flush=True)


def print_gain(runners: int, random: np.random.Generator) -> None:
    print_header(
        f"Drawn hours beside habitual ones, {runners} runners, mood phi 0.6",
        *(
            "lift (SD)",
            "hour (SD)",
            "n",
            "true slope",
            "asked",
            "bias",
            "RMSE",
            "width of 95 %",
        ),
        *("% that hold the truth", "% told lower"),
    )
    for lift, clock in ((0.0, 0.0), (0.0, 0.5), (1.0, 0.0), (2.0, 0.0)):
        for answers in (60, 120, 240):
            truth = DecayTruth(lift, answering="less on bad days", clock=clock)
            drawn, habit, slope = compare_pictures(truth, answers, runners, random)
            for name, picture in (("drawn", drawn), ("habit", habit)):
                cells = picture.summarize(slope, runners)
                row = f"{lift} | {clock} | {answers} | {slope:+.3f} | {name}"
                print(f"| {row} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    generator = np.random.default_rng(2026)
    print_coverage(count, generator)
    print_gain(count, generator)
