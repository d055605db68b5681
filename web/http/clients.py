"""Where a request comes from, as far as that can be believed."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import structlog
from flask import current_app, request

from web.runtime import runtime

log = structlog.get_logger()

_PROXY_WARNED = "moodmiles_strange_proxy"
# Whoever gets an IPv6 address gets this many of its bits to themselves.
_IPV6_PREFIX_BITS = 64


def client_network() -> str | None:
    """Return the network that a request comes from, or None if nobody can tell.

    What a header says counts only when a proxy that the host trusts has sent it,
    and then only its last word that is not a trusted proxy's own.  From this very
    machine come its host, and everybody whose proxy does not say for whom it asks.
    """
    hops = [*_forwarded_for(), request.remote_addr or ""]
    if len(hops) > 1:
        _warn_untrusted_proxy(_parse_address(hops[-1]))
    for hop in reversed(hops):
        address = _parse_address(hop)
        if address is None:
            return None
        if not _is_trusted(address):
            return _household_network(address)
    return None


def _forwarded_for() -> list[str]:
    header = request.headers.get("X-Forwarded-For", "")
    return [hop.strip() for hop in header.split(",") if hop.strip()]


def _warn_untrusted_proxy(address: IPv4Address | IPv6Address | None) -> None:
    """Say once that everybody may be taken for one: a neighbour speaks for others."""
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


def _household_network(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, _IPV6_PREFIX_BITS), strict=False))
