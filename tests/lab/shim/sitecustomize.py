"""Lets Python sleep under libfaketime, which misreads how Python 3.11 does it.

Python sleeps until a moment of the monotonic clock; libfaketime takes that for
one of the wall clock, which it has moved.  Read by every process that is started
with this folder on PYTHONPATH.
"""

import select
import time
from typing import SupportsIndex


def _sleep(seconds: SupportsIndex | float) -> None:
    select.select([], [], [], float(seconds))


time.sleep = _sleep
