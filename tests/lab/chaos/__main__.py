"""The chaos gate: `python -m tests.lab.chaos --help`.

Real PostgreSQL, Redis, web, workers, schedule and mail server, a simulated Strava
with small limits, and every few seconds something goes wrong.  At the end every
acknowledged event must be reflected, the tables must be Strava's, no request may
have been over the limit, and each run that was to be asked about was, once.
"""

import logging
import signal
import sys
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from time import monotonic, sleep
from typing import NoReturn

import structlog

from sync.simulator.records import Delivery
from tests.lab.chaos import checks
from tests.lab.chaos.injected_faults import Troubles
from tests.lab.chaos.installation import NO_LIMITS, RETRY_GAP_S, Club, Size, opened
from tests.lab.chaos.scenario import Story
from tests.lab.chaos.settle import settle
from tests.lab.faketime import NoFaketime

TICK_S = 0.25
TICK_OF_THE_STORY_S = 5
SWEEP_EVERY_S = 3.0
STARTED_AT = monotonic()
CALM = Delivery(retry_gap_s=RETRY_GAP_S)
ROUGH = replace(CALM, drop=0.05, double=0.1, reorder=0.2)


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, _leave)
    quiet = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=quiet)
    try:
        with opened(Size(options.runners, options.workers)) as club:
            findings = _run(club, options)
    except NoFaketime as error:
        findings = [str(error)]
    if not findings:
        _say("Nothing was lost, nothing was doubled, no request was over the limit.")
        return 0
    _say(f"{len(findings)} things are wrong:")
    for finding in findings:
        _say(f"  - {finding}")
    return 1


def _leave(*_: object) -> NoReturn:
    """Leave nothing running behind."""
    sys.exit("Stopped.")


def _options() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.lab.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--runners", type=int, default=200)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--every", type=float, default=5.0, help="seconds of peace")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _run(club: Club, options: Namespace) -> list[str]:
    story = Story(club.stage, options.seed)
    troubles = Troubles(club, options.seed)
    world = club.stage.world
    story.begin(options.runners, options.seed)
    club.clocks.forward(minutes=15)  # what the past has cost is not held against us
    with world.change():
        world.set(Size(options.runners, options.workers).limits)
    club.start()
    findings = settle(club, story)
    with world.change():
        world.set(ROUGH)
    _say(f"{len(list(world.activities()))} runs are known; trouble begins")
    _let_it_happen(club, story, troubles, options)
    _say("trouble ends; settling ...")
    with world.change():
        world.set(CALM)
    while story.newcomers:
        story.welcome()
    findings += settle(club, story)
    findings += _before_the_sweep(club, story, troubles)
    _say("a month later each runner's whole list is compared ...")
    with world.change():
        world.set(NO_LIMITS)
    club.clocks.forward(days=29)
    findings += settle(club, story, with_sweeps=True)
    findings += checks.tables_differ(club.stage, apart_from=set())
    findings += checks.links_broken(club.stage)
    findings += checks.over_quota(
        story.refused_at, troubles.redis_lost_at, workers=options.workers
    )
    _say_what_it_came_to(club, story)
    return list(dict.fromkeys(findings))


def _let_it_happen(
    club: Club, story: Story, troubles: Troubles, options: Namespace
) -> None:
    ends_at = monotonic() + options.minutes * 60
    next_trouble_at = monotonic() + options.every
    next_sweep_at = 0.0
    while monotonic() < ends_at:
        club.clocks.forward(seconds=TICK_OF_THE_STORY_S)
        story.live()
        story.take_notes()
        troubles.end()
        club.keep_running()
        if monotonic() >= next_trouble_at:
            _say(troubles.next())
            next_trouble_at += options.every
        if monotonic() >= next_sweep_at:
            club.sweep()
            next_sweep_at = monotonic() + SWEEP_EVERY_S
        sleep(TICK_S)
    troubles.end(all_of_them=True)


def _before_the_sweep(club: Club, story: Story, troubles: Troubles) -> list[str]:
    deaths = sum(worker.deaths for worker in club.workers)
    letters = club.post.letters
    return [
        *checks.events_lost(club.stage, story),
        *checks.tables_differ(club.stage, apart_from=story.unsaid()),
        *checks.mails_wrong(
            club.stage, letters, repeats_at_most=deaths + troubles.postgres_restarts
        ),
        *checks.quiet_ones_wronged(club.stage, story, letters),
    ]


def _say_what_it_came_to(club: Club, story: Story) -> None:
    counts = {one.name: one.value for one in club.stage.world.counters}
    told = len(story.acknowledged())
    asked = len(club.post.letters.taken)
    reads = counts.get("requests list", 0) + counts.get("requests detail", 0)
    _say(f"{told} events acknowledged, {reads} requests, {asked} mails")


def _say(sentence: str) -> None:
    print(f"{monotonic() - STARTED_AT:6.1f} s  {sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
