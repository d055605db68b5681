"""How long things take, in processes that are set up as the product's own are."""

# First of all: numpy looks only once at how many threads it may start.
import sync.analytics  # noqa: F401
