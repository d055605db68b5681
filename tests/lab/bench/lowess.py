"""What our robust local line costs, beside statsmodels' own.

python -m tests.lab.bench.lowess     prints CPU milliseconds; nothing is asserted
"""

from collections.abc import Callable
from statistics import median
from time import process_time

import numpy as np
from statsmodels.nonparametric.smoothers_lowess import lowess as statsmodels_lowess

from sync.analytics.stats.curve import (
    FRACTION,
    ROBUST_PASSES,
    choose_fit_spacing,
    fit_robust_line,
)
from sync.analytics.stats.series import Floats

SIZES = (30, 100, 300, 1_000, 3_000, 10_000)
ROUNDS = 25


def main() -> None:
    print(f"{'answers':>8} {'ours':>8} {'statsmodels':>12} {'ratio':>6}")
    for n in SIZES:
        random = np.random.default_rng(n)
        x = random.gamma(4, 8, n)
        y = random.integers(-2, 3, n).astype(np.float64)
        our_cpu_ms = cpu_ms(lambda x=x, y=y: fit_robust_line(x, y))  # type: ignore[misc]
        statsmodels_cpu_ms = cpu_ms(lambda x=x, y=y: usual_line(x, y))  # type: ignore[misc]
        print(
            f"{n:8} {our_cpu_ms:8.2f} "
            f"{statsmodels_cpu_ms:12.2f} {our_cpu_ms / statsmodels_cpu_ms:6.2f}"
        )


def usual_line(x: Floats, y: Floats) -> Floats:
    line: Floats = statsmodels_lowess(
        y,
        x,
        frac=FRACTION,
        it=ROBUST_PASSES,
        delta=choose_fit_spacing(x),
        return_sorted=False,
    )
    return line


def cpu_ms(work: Callable[[], Floats]) -> float:
    """Return the median CPU time of `ROUNDS` calls."""
    took = []
    for _ in range(ROUNDS):
        started = process_time()
        work()
        took.append(1000 * (process_time() - started))
    return median(took)


if __name__ == "__main__":
    main()
