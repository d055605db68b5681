"""Consent, then Strava and back."""
