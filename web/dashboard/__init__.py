"""A runner's own runs and moods."""
