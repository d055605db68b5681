"""A part of ours for the supervisor to fork: it says what it is, and stays."""

import os
import signal
import sys
import time


def main() -> int:
    is_plain = signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    said = ["here", os.getpid(), *os.environ, *sys.argv[1:], f"plain={is_plain}"]
    print(*said)  # noqa: T201
    time.sleep(60)
    return 0
