"""The runner's own controls."""
