"""Whether a delivery bears Strava's signature.  Pure.

`X-Strava-Signature: t=<unix>,v1=<hex>` signs "<t>.<raw body>" with HMAC-SHA256.
Strava does not say for certain that it signs, so a host may only observe.
"""

import hmac
from hashlib import sha256

from sync.vocabulary import SignatureVerdict

HEADER = "X-Strava-Signature"
COUNTER_PREFIX = "signature "
TOLERANCE_S = 300


def judge_signature(
    header: str | None, body: bytes, *, secret: str, now_s: float
) -> SignatureVerdict:
    """Judge one delivery by its signature header and its raw body."""
    if not header:
        return SignatureVerdict.MISSING
    parts = dict(part.strip().partition("=")[::2] for part in header.split(","))
    signed_at, given_digest = parts.get("t", ""), parts.get("v1", "")
    if not signed_at.isdecimal() or len(signed_at) > 12:
        return SignatureVerdict.WRONG
    message = signed_at.encode() + b"." + body
    expected_digest = hmac.new(secret.encode(), message, sha256).hexdigest()
    if not hmac.compare_digest(given_digest.encode(), expected_digest.encode()):
        return SignatureVerdict.WRONG
    if abs(now_s - int(signed_at)) > TOLERANCE_S:
        return SignatureVerdict.TOO_OLD
    return SignatureVerdict.RIGHT
