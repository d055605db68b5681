"""Where the time of the tests goes: `python -m tests.lab.bench.durations LOG [LOG …]`.

A log is what `make test TESTS=--durations=0` writes. Seconds are as the clock on the
wall saw them in each of the processes, so they add up to more than the run took.
"""

import re
import sys
from collections import defaultdict
from operator import itemgetter
from pathlib import Path

LINE = re.compile(r"([\d.]+)s (setup|call|teardown) +(tests/[\w/]+\.py)(::\S+)")


def main() -> None:
    for log in sys.argv[1:]:
        phases: dict[str, float] = defaultdict(float)
        files: dict[str, float] = defaultdict(float)
        for seconds, phase, file, _ in LINE.findall(Path(log).read_text()):
            phases[phase] += float(seconds)
            files[file] += float(seconds)
        print(f"{log}: {sum(phases.values()):.0f} s")
        for name, seconds in (*get_largest(phases), *get_largest(files)):
            print(f"{seconds:8.1f}  {name}")


def get_largest(
    seconds: dict[str, float], *, count: int = 20
) -> list[tuple[str, float]]:
    return sorted(seconds.items(), key=itemgetter(1), reverse=True)[:count]


if __name__ == "__main__":
    main()
