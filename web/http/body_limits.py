"""How much of a request is read, and how long that may take."""

from dataclasses import dataclass

MAX_BODY_BYTES = 64 * 1024
# Well below what the server takes: what it refuses by itself has none of our headers.
MAX_TARGET_BYTES = 8 * 1024
MAX_HEADER_BYTES = 24 * 1024


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """The largest body of a request, and the time in which all of it must arrive."""

    max_bytes: int = MAX_BODY_BYTES
    timeout_s: float = 10


FORM_LIMIT = BodyLimit()


def find_body_limit(path: str) -> BodyLimit:  # noqa: ARG001 - see the docstring
    """Return the limit of one address.

    All addresses take forms, and events of the same size.  One that takes more gets
    its limit here: the server asks for it before it reads anything.
    """
    return FORM_LIMIT
