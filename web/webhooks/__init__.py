"""The webhook that receives Strava's events."""
