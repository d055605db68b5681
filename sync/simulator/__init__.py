"""A small, faithful Strava that runs on your machine and enforces what Strava does.

`records` are what its world is made of and `world` holds them; `life` is what
athletes do, `events` tells the app about it; `grants`, `limits` and `faults` are
the rules; `oauth`, `api`, `subscriptions`, `control` and `pages` are its faces.
"""
