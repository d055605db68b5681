"""Count how often a runner would be told something that is not so.

Run it with `python -m tests.lab.bench.false_claims [RUNNERS]`; docs/figures.md
keeps what it printed.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from sync.analytics.dataset.history import History
from sync.analytics.panels.after_runs import compare_mood
from sync.analytics.panels.definition import find_hours
from sync.analytics.panels.discovery import compare_all
from sync.analytics.panels.mileage import (
    Z_MILEAGE_CLAIM,
    MileageComparison,
    compare_mileage,
    is_clear_range,
)
from sync.analytics.sentences.milestones import FIRST_MILESTONE, PanelQuestion
from sync.analytics.stats.groups import estimate_difference
from sync.analytics.stats.rank_link import link
from sync.analytics.stats.shape import fit_shape
from tests.lab.bench.simulated_runners import (
    FreeDays,
    RunnerSimulator,
    SimulatedTruth,
)

HEADLINE = ("after_runs", "mileage", "stress")
SEED = 2026
BLOCK = 100
LOOKS = (30, 60, 120, 240)
COLUMNS = (
    *HEADLINE,
    "link half",
    "mileage.best",
    "any headline",
    "any exploring",
    "mileage.early",
)
CLAIMS = {"higher", "lower", "best"}
LIFTS = (
    *((0.25, 0.0), (0.5, 0.0), (0.8, 0.0)),
    *((0.0, 0.25), (0.0, 0.5)),
    *((0.25, 0.25), (0.5, 0.5)),
)
NULL_WORLDS = [
    SimulatedTruth(persistence, real=real, season=season)
    for persistence in (0.3, 0.6, 0.85)
    for real, season in ((False, False), (True, False), (False, True))
]

# No effect of running either, but moods that follow the days on which runs are long.
CALENDAR_WORLDS = [
    SimulatedTruth(
        0.5,
        free_days=free_days,
        on_free_days=on_free_days,
        by_hour=by_hour,
    )
    for free_days, lifts in (
        (FreeDays.WEEKENDS, ((0.0, 0.0), *LIFTS)),
        (FreeDays.SHIFTS, ((0.0, 0.0), *LIFTS[:3])),
    )
    for on_free_days, by_hour in lifts
]


def get_verdicts(question: PanelQuestion) -> Iterator[str]:
    """Say what the panel would have said at each milestone it reached."""
    milestone = FIRST_MILESTONE
    while milestone <= question.answer_count:
        yield question.evaluate(
            int(np.searchsorted(question.cumulative_answers, milestone)) + 1
        ).verdict
        milestone *= 2


def collect_claims(history: History) -> set[str]:
    """Panels that spoke at any milestone, and how the mileage panel did."""
    claims: set[str] = set()
    for panel in compare_all(history):
        question = panel.comparison.build_question(panel.name)
        current_claims = set(get_verdicts(question))
        if current_claims & CLAIMS:
            claims.add(panel.name)
        if panel.name == "mileage":
            claims |= {f"mileage.{verdict}" for verdict in current_claims}
    return claims


def count_false_claims(world: SimulatedTruth, block: int, runners: int) -> Counter[str]:
    """Count the runners of one world that were ever told each kind of thing.

    Each block of runners has a seed of its own, so that blocks may be run apart.
    """
    maker = RunnerSimulator(world, np.random.default_rng([SEED, block]))
    counts = Counter[str]()
    for _ in range(runners):
        claims = collect_claims(maker.simulate_runner())
        explored = {name for name in claims if "." not in name} - set(HEADLINE)
        if world.by_hour:
            explored.discard("time_of_day")  # it would be true
        counts.update((claims - {"time_of_day"}) | explored)
        counts["any headline"] += bool(claims & set(HEADLINE))
        counts["any exploring"] += bool(explored)
        counts["link half"] += bool(claims & {"mileage.higher", "mileage.lower"})
    return counts


def take_first(data: MileageComparison, count: int) -> MileageComparison:
    some = slice(count)
    return MileageComparison(
        data.distance_m[some],
        data.trailing_week_m[some],
        data.mood[some],
        data.days[some],
    )


def measure_power(
    world: SimulatedTruth, runners: int, random: np.random.Generator
) -> Iterator[float]:
    """Share told the truth at each look: link by the rule, then as the headline."""
    maker = RunnerSimulator(world, random)
    shares = np.zeros((3, len(LOOKS)))
    for _ in range(runners):
        data = compare_mileage(maker.simulate_runner())
        for at, count in enumerate(LOOKS):
            some = take_first(data, count)
            hours = find_hours(some.days)
            monotone = link(some.distance_m, some.mood, some.days, hours=hours)
            ranges = fit_shape(
                some.trailing_week_m / 1000, some.mood, some.days, hours=hours
            )
            shares[0, at] += monotone.claim
            shares[1, at] += monotone.is_certain_at(Z_MILEAGE_CLAIM)
            shares[2, at] += ranges is not None and is_clear_range(ranges)
    yield from (shares[2] if world.range else shares[:2].ravel()) / runners


def measure_lift_power(
    world: SimulatedTruth, runners: int, random: np.random.Generator
) -> Iterator[float]:
    maker = RunnerSimulator(world, random)
    shares, reached = np.zeros(3), np.zeros(3)
    for _ in range(runners):
        panel = compare_mood(maker.simulate_runner())
        counted = panel.build_question("after_runs").cumulative_answers
        order = np.argsort(panel.days, kind="stable")
        for at, count in enumerate(LOOKS[:3]):
            some = order[: int(np.searchsorted(counted, count)) + 1]
            claimed = estimate_difference(
                panel.values[some],
                panel.in_first[some],
                panel.days[some],
                hours=find_hours(panel.days[some]),
            )
            reached[at] += counted[-1] >= count
            shares[at] += counted[-1] >= count and claimed.is_claim
    yield from shares / np.maximum(reached, 1)


def format_line(label: str, shares: Iterable[float], digits: int = 1) -> None:
    cells = [f"{100 * share:.{digits}f}" for share in shares]
    print(f"| {label} | {' | '.join(cells)} |", flush=True)


def print_header(title: str, *names: object) -> None:
    print(f"\n{title}\n\n| {' | '.join(str(name) for name in names)} |")
    print("|" + "---|" * len(names))


def format_label(world: SimulatedTruth) -> str:
    if world.free_days is not None:
        return f"{world.free_days} | {world.on_free_days} | {world.by_hour}"
    kind = "real" if world.real else "simulated"
    return f"{world.persistence} | {kind} | {'both' if world.season else 'none'}"


def print_false_claims(
    title: str, columns: Sequence[str], worlds: Sequence[SimulatedTruth], runners: int
) -> None:
    """Print the share of runners ever told something, in a row for each world."""
    print_header(
        f"{title}, {runners} runners a row: % ever told, at any milestone",
        *columns,
        *("after runs", "mileage", "stress", "link half", "range half"),
        *("any headline", "any exploring", "early sign"),
    )
    total = Counter[str]()
    for world in worlds:
        counts = Counter[str]()
        for first in range(0, runners, BLOCK):
            block = count_false_claims(world, first, min(BLOCK, runners - first))
            counts.update(block)
        total.update(counts)
        format_line(format_label(world), [counts[name] / runners for name in COLUMNS])
    everyone = runners * len(worlds)
    format_line("all | | ", [total[name] / everyone for name in COLUMNS])
    print_header(
        f"Each exploring panel, all {everyone} runners: % ever told", "panel", "%"
    )
    random = np.random.default_rng(SEED)
    history = RunnerSimulator(SimulatedTruth(0.3), random).simulate_runner()
    for panel in compare_all(history):
        if panel.name not in HEADLINE:
            format_line(panel.name, [total[panel.name] / everyone], digits=2)


def print_power(runners: int, random: np.random.Generator) -> None:
    rhos = (0.3, 0.4, 0.5, 0.6)
    print_header(
        f"A true link with the run's distance, {runners} runners a row: "
        "% told at one look",
        *("true rho", "rule n=30", 60, 120, 240, "headline n=30", 60, 120, 240),
    )
    for rho in rhos:
        format_line(
            str(rho), measure_power(SimulatedTruth(0.3, longer=rho), runners, random)
        )
    print_header("A true best week: % told its range at one look", "true rho", *LOOKS)
    for rho in rhos:
        format_line(
            str(rho), measure_power(SimulatedTruth(0.3, range=rho), runners, random)
        )
    print_header(
        "Mood truly higher after runs: % told at one look, by twice the smaller group",
        *("by (SD)", *LOOKS[:3]),
    )
    for after in (0.3, 0.5, 0.8):
        format_line(
            str(after),
            measure_lift_power(SimulatedTruth(0.3, after=after), runners, random),
        )


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print_false_claims(
        "No true effect", ("mood phi", "mileage", "season"), NULL_WORLDS, count
    )
    print_false_claims(
        "No true effect, long runs on free days and in the morning, phi .5",
        ("free days", "moods on them (SD)", "from 6 to 22 o'clock (SD)"),
        CALENDAR_WORLDS,
        count,
    )
    print_power(max(count // 2, 1), np.random.default_rng(SEED))
