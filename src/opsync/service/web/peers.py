"""Where a request comes from and by which name: what the connection and the Host say."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from starlette.types import Scope

from opsync.blocks.service import ServiceBlock

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,254})(?::[0-9]{1,5})?")
_FORWARDED = frozenset(
    (b"forwarded", b"via", b"x-real-ip", b"x-original-host", b"cf-connecting-ip", b"true-client-ip")
)


def values(scope: Scope, name: bytes) -> list[bytes]:
    """All values of a header, `name` in lower case."""
    return [value for key, value in scope["headers"] if key.lower() == name]


def value(scope: Scope, name: bytes) -> str:
    """A header's value as text, "" where it is missing; of several the first."""
    found = values(scope, name)
    return found[0].decode("latin-1").strip() if found else ""


def address_of(text: str) -> Address | None:
    """An address as it is written in numbers; IPv4 also where IPv6 wraps it. None: it is none."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def peer_of(scope: Scope) -> Address | None:
    """The address at the other end of the connection, never what a header says of it."""
    client = scope.get("client")
    return address_of(str(client[0])) if client else None


def forwarded(scope: Scope) -> bool:
    """Whether somebody between says that they hand on a request of somebody else."""
    return any(
        key.lower() in _FORWARDED or key.lower().startswith(b"x-forwarded-")
        for key, _ in scope["headers"]
    )


def from_here(scope: Scope) -> bool:
    """Whether a program of this machine asks, by one of its loopback names, for itself."""
    peer = peer_of(scope)
    if peer is None or not peer.is_loopback or forwarded(scope):
        return False
    host = host_in(value(scope, b"host"))
    return host is not None and _is_loopback(host)


def host_in(authority: str) -> str | None:
    """The host of a Host header, in lower case without brackets and last dot; None: it is none."""
    found = _AUTHORITY.fullmatch(authority.lower())
    return found["host"].strip("[]").removesuffix(".") if found else None


def within(address: Address | None, networks: Iterable[Network]) -> bool:
    """Whether an address is of one of the networks."""
    return address is not None and any(address in network for network in networks)


def _is_loopback(host: str) -> bool:
    address = address_of(host)
    return host == "localhost" if address is None else address.is_loopback


@dataclass(frozen=True, slots=True)
class Names:
    """The names by which the pages may be asked for.

    A page of somebody else whose name is made to resolve to this machine would send its own name,
    and is refused. An address in numbers cannot be taken over so: it is taken where the service
    listens on all of the machine's addresses.
    """

    known: frozenset[str]
    any_address: bool

    @classmethod
    def of(cls, block: ServiceBlock) -> Self:
        """This machine's own names, the one that is listened on, `hosts`, and the public one."""
        address = block.address
        known = {*block.hosts, block.public_host, "" if address.everywhere else address.host}
        return cls(frozenset(known - {""}), address.everywhere)

    def take(self, scope: Scope) -> bool:
        """Whether a request's Host is one of them."""
        given = values(scope, b"host")
        host = host_in(given[0].decode("latin-1").strip()) if len(given) == 1 else None
        if host is None:
            return False
        address = address_of(host)
        if host in self.known or _is_loopback(host) or str(address) in self.known:
            return True
        return self.any_address and address is not None and not address.is_unspecified
