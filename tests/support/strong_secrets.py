"""Secrets that a real part starts with: random, and long enough."""

VERIFY_TOKEN = "verify-q7Jw0Zr1uVx9Kc3Tn5Lb"
WEBHOOK_SECRET = "hook-b4Hs6Pd0Gm2Rf8Wv1Ax7Nk9E"
METRICS_TOKEN = "metrics-u3Yt5Qe7Io9Za1Xs2Dc4"
REDIS_PASSWORD = "redis-p8Lk2Jh6Gf4Ds0Qa9Zx7"
