"""When a web process looks for rubbish: seldom, and never among what stays."""

import gc

# A page of ten thousand runs makes some thirty thousand objects; Python would stop
# a hundred times on the way to look through them all.
_GC_THRESHOLD = 50_000


def tune_gc() -> None:
    """Leave alone what is loaded by now, and let pages be made in one go.

    Most of what a page leaves goes at once, without being looked for; only objects
    that hold each other wait for the look.
    """
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
