"""What a secret of the host's must be, so that nobody guesses it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

# A random text has about as many different steps from one sign to the next as signs;
# "aaaa", "abcd" and "123123" have a few.
_MIN_DIFFERENT_STEPS = 6
_PLACEHOLDERS = re.compile(
    r"change(me|this|it)|replace(me|this|it)|placeholder|example|password|setitinenv"
    r"|(your|my|the|some|very|super|top)secret|yourtoken|secretstoken|donotuse|insecure"
)
MAKE_ONE = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


@dataclass(frozen=True, slots=True)
class SecretRule:
    """How long a secret is at least, and which signs fit where it travels."""

    min_length: int
    alphabet: re.Pattern[str] = re.compile(".*", re.DOTALL)
    place: str = ""


_IN_A_HEADER = re.compile(r"[!-~]*")
_IN_A_PATH = re.compile(r"[A-Za-z0-9._~-]*")
RULES: Mapping[str, SecretRule] = {
    "secret_keys": SecretRule(32),
    "strava_verify_token": SecretRule(24, _IN_A_HEADER, "an address"),
    "strava_webhook_secret": SecretRule(24, _IN_A_PATH, "an address"),
    "metrics_token": SecretRule(24, _IN_A_HEADER, "a header"),
    "redis_password": SecretRule(24),
}


def find_weakness(secret: str, rule: SecretRule) -> str | None:
    """Return why a secret cannot be used, to follow its name; None if it can."""
    if len(secret) < rule.min_length:
        return f"needs at least {rule.min_length} characters"
    if not rule.alphabet.fullmatch(secret):
        return f"has characters that do not fit into {rule.place}"
    return None


def find_pattern(secret: str) -> str | None:
    """Return why a secret is among the first to be tried, or None."""
    if _PLACEHOLDERS.search(re.sub(r"[^a-z]", "", secret.lower())):
        return "is a placeholder"
    if _repeats_itself(secret):
        return "repeats itself"
    return None


def _repeats_itself(secret: str) -> bool:
    steps = {ord(after) - ord(before) for before, after in pairwise(secret)}
    return len(steps) < _MIN_DIFFERENT_STEPS or any(
        secret[period:] == secret[:-period] for period in range(1, len(secret) // 2 + 1)
    )
