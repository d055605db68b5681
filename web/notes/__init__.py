"""The lines that a runner wrote for themselves."""
