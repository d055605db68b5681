"""Runners: linking Strava, signing in, the address for mails, and leaving."""
