"""What grows old while nobody touches it: a warning to the host, never a failure."""

import socket
import ssl
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from cryptography.x509 import Certificate, load_der_x509_certificate

from sync.errors import MoodmilesError
from sync.settings import Settings
from sync.support.directory import countries, support

HELPLINES_FOR = timedelta(days=183)
_CERTIFICATE_LEFT = timedelta(days=14)
_HTTPS = 443
_PATIENCE_S = 5


class Outdated(MoodmilesError):
    """Something still works, but has grown old."""


def helplines_checked_on() -> date:
    """Return the day since which each country's helplines are known to be right."""
    return min(support(country).checked_on for country in (*countries(), None))


def helplines(_settings: Settings, now: datetime) -> str:
    """Ask for an update when the telephone numbers were last compared long ago."""
    checked_on = helplines_checked_on()
    if now.date() - checked_on > HELPLINES_FOR:
        raise Outdated(
            f"The helplines that runners are shown were last checked on {checked_on}: "
            "update Moodmiles, or try the numbers of your runners' countries yourself."
        )
    return f"last checked on {checked_on}"


def certificate(settings: Settings, now: datetime) -> str:
    """Look at the certificate of the public address before browsers refuse it."""
    address = urlsplit(settings.public_url)
    if address.scheme != "https":
        return "none is needed without https"
    host, port = address.hostname or "", address.port or _HTTPS
    try:
        ends_at = _certificate_of(host, port).not_valid_after_utc
    except (OSError, ValueError) as error:
        raise Outdated(
            f"The certificate of {host}:{port} was not seen from this machine "
            f"({type(error).__name__}); browsers may still see it."
        ) from None
    if ends_at - now < _CERTIFICATE_LEFT:
        verb = "ends" if ends_at > now else "ended"
        raise Outdated(
            f"The certificate of {host}:{port} {verb} on {ends_at.date()}: renew it."
        )
    return f"good until {ends_at.date()}"


def _certificate_of(host: str, port: int) -> Certificate:
    """Fetch a server's certificate, also one that is no longer accepted."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((host, port), timeout=_PATIENCE_S) as raw,
        context.wrap_socket(raw, server_hostname=host) as secured,
    ):
        return load_der_x509_certificate(secured.getpeercert(binary_form=True) or b"")
