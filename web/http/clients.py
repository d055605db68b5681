"""The client's network, from the connection and from trusted proxies' headers."""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import structlog
from flask import current_app, request

from web.runtime import runtime

log = structlog.get_logger()

_PROXY_WARNED = "moodmiles_strange_proxy"
_CLIENT_WARNED = "moodmiles_unnamed_client"
# Providers give each customer a network of one of these lengths.
_HOUSEHOLD_BITS, _SITE_BITS = 64, 48
# Some gateways add the client's port, and brackets around an IPv6 address.
_HOP = re.compile(
    r"\[(?P<bracketed>[0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?"
    r"|(?P<with_port>[0-9.]+):[0-9]{1,5}"
    r"|(?P<bare>[0-9A-Fa-f:.]+)"
)


def client_network() -> str | None:
    """Return the client's IPv4 address or IPv6 /64 network; None for this machine.

    X-Forwarded-For counts only when a trusted proxy has sent it, and then only its
    last hop that is not a trusted proxy itself.  A proxy that names no client, or
    names it in no way that we can read, is the client itself: all who come through
    it then share what one network may do.  Only a request that is made on this very
    machine, and that has passed no proxy, has no network.
    """
    header = request.headers.get("X-Forwarded-For", "")
    hops = [hop.strip() for hop in header.split(",") if hop.strip()]
    peer = request.remote_addr or ""
    client = _parse_address(peer)
    if hops:
        warn_untrusted_proxy(peer)
    elif client is not None and client.is_loopback and not runtime().settings.is_public:
        return None
    # The client itself may have written the first hops, each proxy adds one.
    while client is not None and _is_trusted(client):
        hop = _parse_address(hops.pop()) if hops else None
        if hop is None:
            _warn_unnamed_client()
            break
        client = hop
    if client is None:
        return "unknown"
    if isinstance(client, IPv6Address):
        return str(ip_network((int(client), _HOUSEHOLD_BITS), strict=False))
    return str(client)


def site_network(network: str) -> str | None:
    """Return the IPv6 /48 around a network of `client_network`; None for IPv4."""
    if ":" not in network:
        return None
    return str(IPv6Network(network).supernet(new_prefix=_SITE_BITS))


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


def _warn_unnamed_client() -> None:
    if _CLIENT_WARNED not in current_app.extensions:
        current_app.extensions[_CLIENT_WARNED] = True
        log.warning(
            "a proxy names no client: X-Forwarded-For is missing or has no address"
        )


def _parse_address(text: str) -> IPv4Address | IPv6Address | None:
    match = _HOP.fullmatch(text)
    if match is None:
        return None
    try:
        address = ip_address(match[match.lastgroup or 0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _is_trusted(address: IPv4Address | IPv6Address) -> bool:
    trusted = runtime().settings.trusted_proxies
    return address.is_loopback or any(address in network for network in trusted)
