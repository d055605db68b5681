"""Whether a request comes from this very machine, with nothing in between.

Stand-ins show mails and let anybody be anybody, so they answer to one person's
machine alone.  What a request says of itself is not enough: a proxy or a tunnel on
this machine connects from loopback, and most of them rewrite the Host header.
"""

import re
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

# What proxies, tunnels and balancers add; a browser on this machine sends none of it.
_FORWARDING_PATTERN = re.compile(
    r"""
    .*(?:FORWARD|PROX|NGROK|TAILSCALE|ENVOY|CLOUDFRONT|AMZN)
    | (?:.*_)?(?:VIA|CDN_LOOP|TRUE_CLIENT|X_HOST|X_SCHEME|X_PORT|X_ORIGINAL|X_CLOUD)
    | (?:.*_)?(?:FRONT_END|URL_SCHEME|X_REQUEST_START|X_REQUEST_ID)
    | .*(?:IP|ADDR|ADDRESS|COUNTRY)$
    | (?:CF|FLY|FASTLY|AKAMAI|X_AZURE|X_ARR|X_APPENGINE|X_VERCEL|X_NF|X_REAL)_
    """,
    re.VERBOSE,
)
_HEADER_PREFIX = "HTTP_"
# What nginx speaks to a server behind it, unless it is told otherwise; no browser does.
_PROXY_PROTOCOLS = {"HTTP/1.0", "HTTP/1"}


def is_local_request(environ: Mapping[str, object]) -> bool:
    """Whether the request of this WSGI environment is one of this machine's own.

    The connection begins at a loopback address, no header tells of a proxy, and the
    name that is asked for is this machine's.  A peer without an address, as behind a
    Unix socket, is not known to be local.
    """
    return (
        is_loopback_name(str(environ.get("REMOTE_ADDR", "")))
        and is_loopback_host(str(environ.get("HTTP_HOST", "")))
        and environ.get("SERVER_PROTOCOL") not in _PROXY_PROTOCOLS
        and not any(map(is_forwarding_header, environ))
    )


def is_forwarding_header(key: str) -> bool:
    """Whether a key of a WSGI environment is a header that a proxy adds."""
    return key.startswith(_HEADER_PREFIX) and bool(
        _FORWARDING_PATTERN.match(key.removeprefix(_HEADER_PREFIX))
    )


def is_loopback_host(host: str) -> bool:
    """Whether a Host header, with or without a port, names this machine."""
    try:
        parts = urlsplit(f"//{host}")
        # Two Host headers, a user or a path name nobody; a strange port raises.
        is_plain = parts.netloc == host and "@" not in host and parts.port != 0
    except ValueError:
        return False
    return is_plain and is_loopback_name(parts.hostname or "")


def is_loopback_name(name: str) -> bool:
    """Whether a name or an address is this machine's own, by IPv4 or IPv6."""
    try:
        address = ip_address(name)
    except ValueError:
        name = name.lower()
        return name == "localhost" or name.endswith(".localhost")
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback
