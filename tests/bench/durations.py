"""Where the time of the tests goes: `python -m tests.bench.durations LOG [LOG …]`.

A log is what `make test TESTS=--durations=0` writes. Seconds are as the clock on the
wall saw them in each of the processes, so they add up to more than the run took.
"""

import re
import sys
from collections import Counter
from pathlib import Path

LINE = re.compile(r"([\d.]+)s (setup|call|teardown) +(tests/[\w/]+\.py)(::\S+)")


def main() -> None:
    for log in sys.argv[1:]:
        phases, files = Counter[str](), Counter[str]()
        for seconds, phase, file, _ in LINE.findall(Path(log).read_text()):
            phases[phase] += float(seconds)
            files[file] += float(seconds)
        print(f"{log}: {phases.total():.0f} s")
        for what, seconds in (*phases.most_common(), *files.most_common(20)):
            print(f"{seconds:8.1f}  {what}")


if __name__ == "__main__":
    main()
