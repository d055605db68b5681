"""Surveys: deciding whether to ask about a run, asking, and keeping the answer."""
