"""The core: everything Moodmiles knows, with no Flask and no Celery in it.

`runners` are accounts and consents, `runs` mirror Strava's, `inbox` stores webhook
events, `surveys` ask and pair the answers, `analytics` computes the figures,
`portability` exports and imports a runner, `mail` delivers, `support` knows
helplines and contacts, `strava` is the only client of Strava, `simulator` is a
small Strava, `standins` are made-up runners.
"""
