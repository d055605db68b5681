"""The door for time: a Celery app, its schedule, and one thin task per job."""
