"""Trials that need minutes, an index or a whole machine; no test runs them."""
