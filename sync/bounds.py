"""Bounds on what others may send us, set by what databases and calendars hold."""

# The largest number of a column of 64 bits.
MAX_ID = 2**63 - 1
# Years of any time zone: nothing that computes with times fails on these.
FIRST_YEAR, LAST_YEAR = 1971, 2199
# What a runner keeps of a run lies in its answer: four values in JSON.
RETAINED_FACTS_BYTES = 100
