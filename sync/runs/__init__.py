"""Runs: our copy of Strava's, imported once and then kept in step."""
