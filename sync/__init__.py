"""The core of Moodmiles, without Flask and Celery.

`runners` link accounts and own their data, `runs` follow Strava's, `inbox` stores
Strava's events, `surveys` ask and pair answers, `analytics` computes the figures,
`portability` exports and imports a runner, `mail` and `digest` write and deliver,
`support` lists helplines, `strava` calls Strava's API, `simulator` is a small Strava,
`standins` are made-up runners for demos and tests.
"""
