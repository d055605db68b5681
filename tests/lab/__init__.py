"""Trials that need minutes, an index or a whole machine, and their tools."""
