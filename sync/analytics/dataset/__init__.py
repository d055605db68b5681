"""One runner's rows as arrays: loading, derived columns, the cache."""
