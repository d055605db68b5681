"""The core: everything Moodmiles knows, with no Flask and no Celery in it.

`runners` link and own their data, `runs` follow Strava's, `inbox` keeps what
Strava told us, `surveys` ask and pair, `analytics` counts honestly, `takeout`
packs everything and takes it in, `mail` delivers, `strava` is the one border to
Strava, `simulator` is a small Strava, `prepared` are runners to look at.
"""
