"""Garbage collection of a web process: rare, and never of what it has loaded."""

import gc

# A page of ten thousand runs makes some thirty thousand objects: with Python's
# default of 700 the collector would run dozens of times for it.
_GC_THRESHOLD = 50_000


def tune_gc() -> None:
    """Exclude all loaded objects from collection, and collect rarely.

    Reference counts free most objects of a page at once; only cycles wait for the
    collector.
    """
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
