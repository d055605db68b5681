"""The inbox: what Strava tells us, from the first byte to the last retry."""
