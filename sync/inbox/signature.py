"""Whether a delivery bears Strava's signature.  Pure.

`X-Strava-Signature: t=<unix>,v1=<hex>` signs "<t>.<raw body>" with HMAC-SHA256.
Strava does not say for certain that it signs, so a host may only observe.
"""

import hmac
from hashlib import sha256
from typing import Literal, TypeAlias

HEADER = "X-Strava-Signature"
TOLERANCE_S = 300

Verdict: TypeAlias = Literal["right", "missing", "wrong", "too old"]


def judge_signature(
    header: str | None, body: bytes, *, secret: str, now_s: float
) -> Verdict:
    """Judge one delivery by its signature header and its raw body."""
    if not header:
        return "missing"
    parts = dict(part.strip().partition("=")[::2] for part in header.split(","))
    signed_at, given_digest = parts.get("t", ""), parts.get("v1", "")
    if not signed_at.isdecimal() or len(signed_at) > 12:
        return "wrong"
    message = signed_at.encode() + b"." + body
    expected_digest = hmac.new(secret.encode(), message, sha256).hexdigest()
    if not hmac.compare_digest(given_digest.encode(), expected_digest.encode()):
        return "wrong"
    return "right" if abs(now_s - int(signed_at)) <= TOLERANCE_S else "too old"
