"""Checks of data that expires: each warns the host and never fails."""

import socket
import ssl
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from cryptography.x509 import Certificate, load_der_x509_certificate

from sync.errors import MoodmilesError
from sync.settings import Settings
from sync.support.directory import find_helplines, list_countries

HELPLINES_MAX_AGE = timedelta(days=183)
_CERTIFICATE_MIN_REMAINING = timedelta(days=14)
_HTTPS = 443
_TIMEOUT_S = 5


class Outdated(MoodmilesError):
    """Something still works, but has grown old."""


def helplines_checked_on() -> date:
    """Return the oldest day on which a country's helplines were last checked."""
    return min(
        find_helplines(country).checked_on for country in (*list_countries(), None)
    )


def check_helplines(_settings: Settings, now: datetime) -> str:
    """Warn if the telephone numbers were last checked too long ago."""
    checked_on = helplines_checked_on()
    if now.date() - checked_on > HELPLINES_MAX_AGE:
        raise Outdated(
            f"The helplines that runners are shown were last checked on {checked_on}: "
            "update Moodmiles, or try the numbers of your runners' countries yourself."
        )
    return f"last checked on {checked_on}"


def check_certificate(settings: Settings, now: datetime) -> str:
    """Warn before the certificate of the public address expires."""
    address = urlsplit(settings.public_url)
    if address.scheme != "https":
        return "none is needed without https"
    host, port = address.hostname or "", address.port or _HTTPS
    try:
        ends_at = fetch_certificate(host, port).not_valid_after_utc
    except (OSError, ValueError) as error:
        raise Outdated(
            f"The certificate of {host}:{port} was not seen from this machine "
            f"({type(error).__name__}); browsers may still see it."
        ) from None
    if ends_at - now < _CERTIFICATE_MIN_REMAINING:
        verb = "ends" if ends_at > now else "ended"
        raise Outdated(
            f"The certificate of {host}:{port} {verb} on {ends_at.date()}: renew it."
        )
    return f"good until {ends_at.date()}"


def fetch_certificate(host: str, port: int) -> Certificate:
    """Fetch a server's certificate, also an expired one; raises `OSError`."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((host, port), timeout=_TIMEOUT_S) as tcp_socket,
        context.wrap_socket(tcp_socket, server_hostname=host) as tls_socket,
    ):
        return load_der_x509_certificate(
            tls_socket.getpeercert(binary_form=True) or b""
        )
