"""The spans of time around a run that surveys and analytics share."""

from datetime import timedelta

# From the end of a run: how long its survey is open and the dashboard takes an answer.
ANSWER_WINDOW = timedelta(hours=24)
# Runs with a shorter break between them are one session.
SESSION_GAP = timedelta(hours=3)
# How soon after the bookmark a run must start to be the one that it was for.
PRE_RUN_WINDOW = timedelta(hours=3)
