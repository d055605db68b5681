"""The door for people and for Strava: pages, forms and the event endpoint."""
