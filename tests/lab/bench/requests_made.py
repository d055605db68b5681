"""How many requests a fixed story costs: `python -m tests.lab.bench.requests_made`.

One runner with 10,000 activities; then 100 new runs, 100 renames, 50 flips of
privacy and 50 deletes, each told as Strava tells it.
"""

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from sync.simulator import activities, seed
from sync.simulator.records import Activity
from tests.lab.bench.standalone_harness import open_harness
from tests.support.harness import Harness

ACTIVITIES = 10_000
MAX_REQUESTS = {"backfill": 51, "new run": 100, "rename": 0, "flip": 0, "delete": 50}


def main() -> int:
    with TemporaryDirectory() as folder, open_harness(Path(folder)) as harness:
        counts = run_scenario(harness)
    for chapter, requests in counts.items():
        print(f"{chapter:10} {requests:4} requests, at most {MAX_REQUESTS[chapter]}")
    return int(any(counts[chapter] > MAX_REQUESTS[chapter] for chapter in MAX_REQUESTS))


def run_scenario(harness: Harness) -> Counter[str]:
    """Live through it and return the requests of each chapter."""
    counts: Counter[str] = Counter()
    athlete = harness.add_athlete()
    with harness.world.transaction():
        for number in range(ACTIVITIES):
            harness.world.put_activity(_add_past_runs(harness, athlete.id, number))
    began, before = perf_counter(), harness.count_strava_reads()
    harness.link_runner(athlete, scope="read,activity:read_all")
    harness.process_all_due()
    counts["backfill"] = harness.count_strava_reads() - before
    print(f"{ACTIVITIES} activities imported in {perf_counter() - began:.1f} s")

    runs = []
    for _ in range(100):
        harness.advance_clock(hours=7)
        runs.append(harness.finish_run(athlete))
        _send_event(harness, counts, "new run", runs[-1], "create")
    for run in runs:
        _send_event(harness, counts, "rename", run, "update", title="Another")
    for run in runs[:50]:
        with harness.world.transaction():
            activities.edit_activity(
                harness.world, run, activities.ActivityEdit(visibility="only_me")
            )
        _send_event(harness, counts, "flip", run, "update", private="true")
    for run in runs[50:]:
        with harness.world.transaction():
            activities.delete_activity(harness.world, run)
        _send_event(harness, counts, "delete", run, "delete")
    return counts


def _send_event(
    harness: Harness,
    counts: Counter[str],
    chapter: str,
    run: Activity,
    aspect: str,
    **updates: str,
) -> None:
    before = harness.count_strava_reads()
    harness.advance_clock(minutes=15)
    harness.deliver_event(
        activities.require_athlete(harness.world, 7), run.id, aspect, **updates
    )
    harness.process_all_due()
    counts[chapter] += harness.count_strava_reads() - before


def _add_past_runs(harness: Harness, athlete_id: int, number: int) -> Activity:
    pattern = Activity(
        id=harness.world.next_id("activity"),
        athlete_id=athlete_id,
        name="Run",
        sport_type="Ride" if number % 10 == 0 else "Run",
        start_s=harness.world.now_s() - 86_400 - number * 30_000,
        zone=seed.HOME_ZONE,
        distance_m=5000.0,
        moving_s=1800,
        elapsed_s=1800,
    )
    return replace(pattern, distance_m=3000.0 + number % 70 * 100)


if __name__ == "__main__":
    sys.exit(main())
