"""Which addresses may be contacted: what the operator names, and never what data names."""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from opsync.errors import ConfigError, RefusedError

_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data"})
_METADATA_ADDRESSES = frozenset(
    map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "192.0.0.192"))
)
_HOLD_IPV4 = tuple(
    map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96"))
)
"""IPv6 that ends with the IPv4 address meant: translated (RFC 6052, 8215, 2765) or compatible."""
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
"""What a dot is besides in the name of a host (UTS 46, 4)."""
_PORTS = {"https": 443, "http": 80}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _host(parts: SplitResult) -> str:
    """The host as a resolver would take it: lower case, no full-width digits, no last dot."""
    host = unicodedata.normalize("NFKC", (parts.hostname or "").translate(_DOTS))
    return host.lower().rstrip(".")


def _address(host: str) -> Address | None:
    """The address that a numeric host means, in any form that the C library takes, or None.

    `inet_aton` reads decimal, octal, hexadecimal and shortened IPv4 as connecting does.
    """
    try:
        address: Address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        if not re.fullmatch(r"[0-9a-fx.]+", host):
            return None
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except OSError:
            return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address.sixtofour:
            return address.sixtofour
        if int(address) > 1 and any(address in network for network in _HOLD_IPV4):
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def is_loopback_url(url: str) -> bool:
    """True when `url` names this machine itself."""
    return _is_loopback(_host(urlsplit(url)))


def check_base_url(url: str) -> None:
    """Raise ConfigError unless `url` is an address that a request with a credential may go to.

    https, or http on loopback; no userinfo, query or fragment; private hosts are the operator's
    choice, link-local and cloud metadata addresses are never allowed, however they are written.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ConfigError("The address is not a URL.", hint="Write https://host.") from None
    host = _host(parts)
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            f"The address of {host!r} carries a user or password.",
            hint="Put the credential into its own setting.",
        )
    odd = ":" not in host and ("%" in host or not host.isprintable())
    if not host or odd or re.search(r"[\s\x00-\x1f\x7f\\]", url):
        raise ConfigError("The address names no host.", hint="Write https://host.")
    if parts.query or parts.fragment:
        raise ConfigError(f"The address of {host!r} carries a query.", hint="Leave it off.")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ConfigError(
            f"The address of {host!r} would send the credential in the clear.",
            hint="Use https; plain http is for this machine's own addresses only.",
        )
    address = _address(host)
    forbidden = address is not None and (
        address.is_link_local
        or address.is_unspecified
        or address.is_multicast
        or address in _METADATA_ADDRESSES
    )
    if forbidden or host in _METADATA_NAMES:
        raise ConfigError(
            f"{host!r} is a link-local or metadata address, which opsync never contacts.",
            hint="Name the vendor's host.",
        )


@dataclass(frozen=True, slots=True)
class Hosts:
    """The origins that one client may contact."""

    base_url: str
    allowed: frozenset[tuple[str, str, int]]

    @classmethod
    def of(cls, base_url: str, extra_hosts: frozenset[str]) -> Hosts:
        """The base address and `extra_hosts` over https, each checked."""
        extra = [f"https://{host}" for host in extra_hosts]
        for url in (base_url, *extra):
            check_base_url(url)
        return cls(base_url.rstrip("/"), frozenset(map(_origin, (base_url, *extra))))

    def resolve(self, path: str, who: str) -> str:
        """The URL to ask for: `path` behind the base address, or itself if absolute and allowed.

        RefusedError, before any name is looked up, for every other host.
        """
        if path == "" or path.startswith(("/", "?")):
            url = self.base_url + path
        elif path.startswith(("https://", "http://")):
            url = path
        else:
            raise RefusedError(f"{who}: {path[:80]!r} is neither a path nor a URL.")
        try:
            origin = _origin(url)
            userinfo = "@" in urlsplit(url).netloc
        except ValueError:
            raise RefusedError(f"{who}: the URL asked for is malformed.") from None
        if origin not in self.allowed or userinfo or re.search(r"[\s\x00-\x1f\x7f\\]", url):
            raise RefusedError(
                f"{who}: {origin[1] or 'that address'!r} is not a host that this instance may "
                "contact.",
                hint="Only the configured address and the connector's own hosts are.",
            )
        return url


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, _host(parts), parts.port or _PORTS.get(parts.scheme, 0)


def plain_url(url: str) -> str:
    """`url` without userinfo, query and fragment, for messages and logs."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def shown_url(url: str, *, secret_path: bool) -> str:
    """`url` for messages and logs; without its path where that is a secret."""
    if not secret_path:
        return plain_url(url)
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"
