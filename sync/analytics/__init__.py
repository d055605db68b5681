"""Figures that can be believed: what one runner's own answers can carry.

`link` is the rule; `load_figures` puts everything together for one runner.
All of it arrives only when first asked for: numpy and scipy take half a second and
tens of megabytes, and a process that serves a landing page, takes events from
Strava or waits for work should pay for neither.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.analytics.figures import Figures, load_figures
    from sync.analytics.stats.rank_link import Link, link

# One runner's numbers are added up before a second thread has woken; what numpy's
# threads spend on waiting for each other is taken from everybody else's pages.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__all__ = ["Figures", "Link", "link", "load_figures"]

_LAZY_EXPORTS = {
    "Figures": "sync.analytics.figures",
    "load_figures": "sync.analytics.figures",
    "Link": "sync.analytics.stats.rank_link",
    "link": "sync.analytics.stats.rank_link",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY_EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY_EXPORTS[name]), name)
