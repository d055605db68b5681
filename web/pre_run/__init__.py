"""A page to bookmark: one tap before a run."""
