"""A kill in the middle of a step, in the test's own process."""


class SimulatedKill(BaseException):
    """Stands for kill -9: no handler of ours catches it."""
