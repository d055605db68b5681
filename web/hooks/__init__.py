"""Where Strava reports."""
