"""A small, faithful Strava that runs on your machine and enforces Strava's rules.

`world` holds the state, made of `records`; `activities` changes it and `events`
reports the changes to the app; `grants`, `limits` and `faults` are the rules;
`origin_guard` lets in this machine's own programs and pages alone;
`oauth`, `api`, `subscriptions`, `control` and `pages` are its interfaces.
"""
