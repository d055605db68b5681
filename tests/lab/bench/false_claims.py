"""Count how often a runner would be told something that is not so.

Run it with `python -m tests.lab.bench.false_claims [RUNNERS]`; docs/figures.md
keeps what it printed.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np

from sync.analytics.dataset.history import History
from sync.analytics.panels.exploratory_panels import exploring
from sync.analytics.panels.questions import MILEAGE_WORDS, Mileage, is_clear
from sync.analytics.panels.registry import after_runs, mileage, panels_of
from sync.analytics.sentences.milestones import FIRST_MILESTONE, Question
from sync.analytics.stats.groups import difference
from sync.analytics.stats.rank_link import link
from sync.analytics.stats.shape import shape
from tests.lab.bench.simulated_runners import Maker, World

HEADLINE = ("after_runs", "mileage", "stress")
LOOKS = (30, 60, 120, 240)
COLUMNS = (
    *HEADLINE,
    "link half",
    "mileage.best",
    "any headline",
    "any exploring",
    "mileage.early",
)
SPOKEN = {"higher", "lower", "best"}
NULL_WORLDS = [
    World(persistence, real=real, season=season)
    for persistence in (0.3, 0.6, 0.85)
    for real, season in ((False, False), (True, False), (False, True))
]


def verdicts(question: Question) -> Iterator[str]:
    """Say what the panel would have said at each milestone it reached."""
    milestone = FIRST_MILESTONE
    while milestone <= question.answers:
        yield question.look(
            int(np.searchsorted(question.counted, milestone)) + 1
        ).verdict
        milestone *= 2


def ever_told(history: History) -> set[str]:
    """Panels that spoke at any milestone, and how the mileage panel did."""
    told: set[str] = set()
    for name, question in panels_of(history).questions("km").items():
        said = set(verdicts(question))
        if said & SPOKEN:
            told.add(name)
        if name == "mileage":
            told |= {f"mileage.{verdict}" for verdict in said}
    return told


def false_claims(
    world: World,
    runners: int,
    random: np.random.Generator,
    panels: Counter[str],
) -> list[float]:
    """Shares of runners of one world that were ever told each kind of thing."""
    maker, seen = Maker(world, random), Counter[str]()
    for _ in range(runners):
        told = ever_told(maker.runner())
        explored = {name for name in told if "." not in name} - set(HEADLINE)
        seen.update(told)
        panels.update(explored)
        seen["any headline"] += bool(told & set(HEADLINE))
        seen["any exploring"] += bool(explored)
        seen["link half"] += bool(told & {"mileage.higher", "mileage.lower"})
    return [seen[name] / runners for name in COLUMNS]


def first(data: Mileage, many: int) -> Mileage:
    some = slice(many)
    return Mileage(
        data.distance_m[some], data.load_m[some], data.mood[some], data.days[some]
    )


def power(world: World, runners: int, random: np.random.Generator) -> Iterator[float]:
    """Share told the truth at each look: link by the rule, then as the headline."""
    maker = Maker(world, random)
    found = np.zeros((3, len(LOOKS)))
    for _ in range(runners):
        data = mileage(maker.runner())
        for at, many in enumerate(LOOKS):
            some = first(data, many)
            monotone = link(some.distance_m, some.mood, some.days)
            ranges = shape(some.load_m / 1000, some.mood, some.days)
            found[0, at] += monotone.claim
            found[1, at] += monotone.sure_at(MILEAGE_WORDS)
            found[2, at] += ranges is not None and is_clear(ranges)
    yield from (found[2] if world.range else found[:2].ravel()) / runners


def lift_power(
    world: World, runners: int, random: np.random.Generator
) -> Iterator[float]:
    maker = Maker(world, random)
    found, reached = np.zeros(3), np.zeros(3)
    for _ in range(runners):
        panel = after_runs(maker.runner())
        counted = panel.question().counted
        order = np.argsort(panel.days, kind="stable")
        for at, many in enumerate(LOOKS[:3]):
            some = order[: int(np.searchsorted(counted, many)) + 1]
            claimed = difference(
                panel.values[some], panel.in_first[some], panel.days[some]
            )
            reached[at] += counted[-1] >= many
            found[at] += counted[-1] >= many and claimed.claim
    yield from found / np.maximum(reached, 1)


def line(label: str, shares: Iterable[float], digits: int = 1) -> None:
    cells = [f"{100 * share:.{digits}f}" for share in shares]
    print(f"| {label} | {' | '.join(cells)} |")


def head(title: str, *names: object) -> None:
    print(f"\n{title}\n\n| {' | '.join(str(name) for name in names)} |")
    print("|" + "---|" * len(names))


def label(world: World) -> str:
    kind = "real" if world.real else "simulated"
    return f"{world.persistence} | {kind} | {'both' if world.season else 'none'}"


def print_false_claims(runners: int, random: np.random.Generator) -> None:
    head(
        f"No true effect, {runners} runners a row: % ever told, at any milestone",
        *("mood phi", "mileage", "season"),
        *("after runs", "mileage", "stress", "link half", "range half"),
        *("any headline", "any exploring", "early sign"),
    )
    panels, everyone = Counter[str](), runners * len(NULL_WORLDS)
    total = np.zeros(len(COLUMNS))
    for world in NULL_WORLDS:
        shares = false_claims(world, runners, random, panels)
        total += np.array(shares) / len(NULL_WORLDS)
        line(label(world), shares)
    line("all | | ", total)
    head(f"Each exploring panel, all {everyone} runners: % ever told", "panel", "%")
    for panel in exploring(Maker(World(0.3), random).runner()):
        line(panel.name, [panels[panel.name] / everyone], digits=2)


def print_power(runners: int, random: np.random.Generator) -> None:
    rhos = (0.3, 0.4, 0.5, 0.6)
    head(
        f"A true link with the run's distance, {runners} runners a row: "
        "% told at one look",
        *("true rho", "rule n=30", 60, 120, 240, "headline n=30", 60, 120, 240),
    )
    for rho in rhos:
        line(str(rho), power(World(0.3, longer=rho), runners, random))
    head("A true best week: % told its range at one look", "true rho", *LOOKS)
    for rho in rhos:
        line(str(rho), power(World(0.3, range=rho), runners, random))
    head(
        "Mood truly higher after runs: % told at one look, by twice the smaller group",
        *("by (SD)", *LOOKS[:3]),
    )
    for after in (0.3, 0.5, 0.8):
        line(str(after), lift_power(World(0.3, after=after), runners, random))


if __name__ == "__main__":
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    generator = np.random.default_rng(2026)
    print_false_claims(many, generator)
    print_power(max(many // 2, 1), generator)
