"""Whose request this is, by address, behind a configured number of trusted proxies."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request


def client_address(request: HttpRequest | Request) -> str:
    """Return the peer's address, or what the outermost trusted proxy saw.

    With ``TRUSTED_PROXIES`` = n, the n-th entry from the right of X-Forwarded-For was written by our own proxy;
    everything further left is the client's to invent.
    """
    peer = str(request.META.get("REMOTE_ADDR") or "local")
    hops = settings.TRUSTED_PROXIES
    if hops:
        seen = [item.strip() for item in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if item.strip()]
        if len(seen) >= hops:
            peer = seen[-hops]
    return _normalised(peer)


def _normalised(address: str) -> str:
    """Return IPv4 as it is, IPv6 by its /64: one subscriber has 2**64 addresses to choose from."""
    if address.startswith("["):  # [2001:db8::1]:443, as some proxies write
        address = address[1:].partition("]")[0]
    elif address.count(":") == 1:  # 192.0.2.1:443
        address = address.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)
