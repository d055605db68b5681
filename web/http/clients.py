"""The client's network, from the connection and from trusted proxies' headers."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import structlog
from flask import current_app, request

from web.runtime import runtime

log = structlog.get_logger()

_PROXY_WARNED = "moodmiles_strange_proxy"
# Providers give each customer a network of this length.
_IPV6_PREFIX_BITS = 64


def client_network() -> str | None:
    """Return the client's IPv4 address or IPv6 /64 network; None where unknown.

    X-Forwarded-For counts only when a trusted proxy has sent it, and then only its
    last hop that is not a trusted proxy itself.  Requests of this very machine are
    unknown: they come from its host, or through a proxy that names no client.
    """
    header = request.headers.get("X-Forwarded-For", "")
    hops = [hop.strip() for hop in header.split(",") if hop.strip()]
    peer = request.remote_addr or ""
    if hops:
        warn_untrusted_proxy(peer)
    for hop in (peer, *reversed(hops)):
        address = _parse_address(hop)
        if address is None:
            return None
        if _is_trusted(address):
            continue
        if isinstance(address, IPv6Address):
            return str(ip_network((address, _IPV6_PREFIX_BITS), strict=False))
        return str(address)
    return None


def warn_untrusted_proxy(peer: str) -> None:
    """Log once that a peer of a private network names clients but is not trusted.

    All its clients then count as one network.
    """
    address = _parse_address(peer)
    if address is None or not address.is_private or _is_trusted(address):
        return
    if _PROXY_WARNED not in current_app.extensions:
        current_app.extensions[_PROXY_WARNED] = True
        log.warning("a proxy is not believed: MOODMILES_TRUSTED_PROXIES may be missing")


def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _is_trusted(address: IPv4Address | IPv6Address) -> bool:
    trusted = runtime().settings.trusted_proxies
    return address.is_loopback or any(address in network for network in trusted)
