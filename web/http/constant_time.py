"""Comparison of secrets in constant time."""

from hmac import compare_digest

from pydantic import SecretStr


def matches_secret(given: str, secret: SecretStr | None) -> bool:
    """Compare without the time taken telling how much of `given` is right.

    Without a secret nothing matches.
    """
    if not secret:
        return False
    return compare_digest(given.encode(), secret.get_secret_value().encode())
