"""The panels: one file each, found by `discovery` (docs/adding.md)."""
