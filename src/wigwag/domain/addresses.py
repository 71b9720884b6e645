# SPDX-License-Identifier: Apache-2.0
"""Which URLs we may call on somebody's behalf: http and https, and only to addresses of the public network.

Whoever gives us a URL must not reach through us what only this machine can reach. Names are judged by what they resolve
to, at the moment of connecting; nothing is resolved here.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from wigwag.domain.errors import InvalidSettings, InvalidUrl

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL = 2000  # characters
# Python's own table changes between its patch releases, so the ranges that matter are written down here (IANA's
# special-purpose registries). IPv6 is public within 2000::/3 alone.
_PRIVATE = [
    ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "2001::/23",  # protocol assignments; among them Teredo (2001::/32), which leads to any IPv4
        *("2001:db8::/32", "3fff::/20"),  # documentation
        "2002::/16",  # 6to4, which leads to any IPv4
        "2620:4f:8000::/48",
    )
]
_PUBLIC_V6 = IPv6Network("2000::/3")

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>[/?][!-~]*)?",
    re.ASCII | re.IGNORECASE,
)
_PORTS = {"http": 80, "https": 443}
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)  # a last label like this makes the whole host an IPv4 address


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """A URL in its parts. The target may carry a secret and stays out of the repr."""

    scheme: str
    host: str  # a name, or an address without brackets
    port: int
    target: str = field(repr=False)

    @property
    def address(self) -> Address | None:
        """The host, if it is an address and not a name."""
        return _address(self.host)


def parse_url(text: str) -> Url:
    """The parts of a URL. Odd spellings that libraries read differently are refused and not guessed at.

    Raises:
        InvalidUrl: not http or https, with a user, with a fragment, or with a host that is no plain name or address.
    """
    found = _URL.fullmatch(text) if len(text) <= LONGEST_URL else None
    if found is None or "#" in text or "\\" in text:
        raise InvalidUrl
    scheme, host = found["scheme"].lower(), found["host"].lower().strip("[]")
    port = int(found["port"] or _PORTS[scheme])
    numeric = "[" in found["host"] or _NUMERIC.fullmatch(host.rpartition(".")[2])
    if not 1 <= port <= 65535 or ".." in host or (numeric and _address(host) is None):
        raise InvalidUrl
    target = found["target"] or "/"
    return Url(scheme=scheme, host=host, port=port, target=target if target[0] == "/" else f"/{target}")


def host_of(url: str) -> str:
    """The host of a URL that was accepted before: all of it that may be shown or logged."""
    return parse_url(url).host


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public network, also when it wraps another (RFC 4291, 6052, 3056, 4380)."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in _PUBLIC_V6:
            return False
    listed = any(address in network for network in _PRIVATE if network.version == address.version)
    return address.is_global and not address.is_multicast and not listed


def may_connect(address: Address, allowed: Collection[Network]) -> bool:
    """Whether we may connect to an address: it is public, or the operator allowed its network."""
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    address = inner or address
    return is_public(address) or any(address in network for network in allowed if network.version == address.version)


def parse_networks(text: str) -> tuple[Network, ...]:
    """Networks as people write them: `10.0.0.0/8, fd00::/8, 127.0.0.1`.

    Raises:
        InvalidSettings: one of them is none.
    """
    found = []
    for part in filter(None, re.split(r"[,\s]+", text)):
        try:
            found.append(ip_network(part))
        except ValueError as error:
            raise InvalidSettings(f"{part} is no network: write it like 10.0.0.0/8 or fd00::/8.") from error
    return tuple(found)


def _address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def neighbourhood(address: str) -> str:
    """Whom to count together: one IPv4 address, or a network of IPv6 that one person has whole (/64)."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or IPv6Network((found, 64), strict=False))
    return str(found)


def is_loopback(host: str) -> bool:
    """Whether a host, as settings and headers name it, is this machine alone."""
    host = host.strip("[]").lower()
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
