"""A part of ours for the supervisor to fork: it says what it is, and stays.

Given a number, it ends with that at once.
"""

import os
import signal
import sys
import time


def main() -> int:
    if sys.argv[1:] and sys.argv[1].isdecimal():
        return int(sys.argv[1])
    # Not the supervisor's; a measurement of coverage may have put its own there.
    handler = signal.getsignal(signal.SIGTERM)
    is_plain = not str(getattr(handler, "__module__", "")).startswith("host")
    report = ["here", os.getpid(), *os.environ, *sys.argv[1:], f"plain={is_plain}"]
    print(*report)  # noqa: T201
    time.sleep(60)
    return 0
