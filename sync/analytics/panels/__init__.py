"""The panels: one file each, found by `registry` (docs/adding.md)."""
