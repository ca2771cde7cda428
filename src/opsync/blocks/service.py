"""`[service]` and `[service.access]`: where `opsync serve` listens, and who may see and decide."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from opsync.blocks.base import Block
from opsync.blocks.digesting import DigestBlock, HealthPageBlock
from opsync.blocks.tracing import TracingBlock
from opsync.errors import ConfigError
from opsync.http import check_base_url
from opsync.log import LogFormat

SECRET_LEAST = 16
"""The fewest characters of a token or password: what can be tried over a network is not shorter."""

_HOST = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]*[a-z0-9])?)*"
)
_PORT = re.compile(r"[0-9]{1,5}")
_USER = re.compile(r"[a-z0-9]+([._@+-][a-z0-9]+)*")
_USER_MAX = 60
_FIELD = re.compile(r"[A-Za-z0-9-]{1,60}")
_MEANT_OTHERWISE = re.compile(
    r"(?i)authorization|cookie|host|origin|referer|accept.*|content-.*|sec-.*|transfer-encoding"
    r"|connection|upgrade|forwarded|via|date|x-forwarded-(for|host|proto|port)|x-real-ip"
)
"""Header fields that say something else than who signed in."""


class Listen(NamedTuple):
    """An address to listen on: a host without brackets, and a port (0: any that is free)."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def everywhere(self) -> bool:
        """Whether it stands for all addresses of the machine."""
        try:
            return ipaddress.ip_address(self.host).is_unspecified
        except ValueError:
            return False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def listen_of(text: str) -> Listen:
    """An address from "127.0.0.1:8484", "[::1]:8484" or "name:8484".

    ValueError says what would be right.
    """
    host, colon, port = text.strip().lower().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    if not colon or not _PORT.fullmatch(port) or int(port) > 65535:
        raise ValueError('write host and port, as in "127.0.0.1:8484"')
    if bracketed:
        try:
            return Listen(str(ipaddress.IPv6Address(host)), int(port))
        except ValueError:
            raise ValueError('what is in brackets must be an IPv6 address: "[::1]:8484"') from None
    if ":" in host:
        raise ValueError('put an IPv6 address into brackets, as in "[::1]:8484"')
    if not host:
        raise ValueError('name the host: "127.0.0.1:8484" for this machine, "0.0.0.0:8484" for all')
    if not _HOST.fullmatch(host):
        raise ValueError('the host must be an address or a name, as in "127.0.0.1:8484"')
    return Listen(host, int(port))


def _listen(text: str) -> str:
    return str(listen_of(text))


def _listen_or_none(text: str) -> str:
    return _listen(text) if text.strip() else ""


def _host(text: str) -> str:
    host = text.strip().lower().rstrip(".")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    if not _HOST.fullmatch(host):
        raise ValueError(
            "write names of hosts without scheme, port or path, as in opsync.harbor.example"
        )
    return host


def _public(text: str) -> str:
    url = text.strip().rstrip("/")
    if not url:
        return ""
    try:
        check_base_url(url)
    except ConfigError as error:
        raise ValueError(f"no address to be reached at: {error.hint}") from None
    return url


def _secret(value: SecretStr) -> SecretStr:
    bare = value.get_secret_value().strip()
    if len(bare) < SECRET_LEAST:
        raise ValueError(
            f"must have at least {SECRET_LEAST} characters; make one with: openssl rand -hex 24"
        )
    if not bare.isprintable():
        raise ValueError("must be one line without control characters")
    return SecretStr(bare)


def _header(text: str) -> str:
    name = text.strip()
    if name and not _FIELD.fullmatch(name):
        raise ValueError('write the name of a header, as in "X-Forwarded-User"')
    if _MEANT_OTHERWISE.fullmatch(name):
        raise ValueError('this header says something else than who it is; as in "X-Forwarded-User"')
    return name


def _network(text: str) -> str:
    try:
        network = ipaddress.ip_network(text.strip())
    except ValueError:
        raise ValueError('write addresses or networks, as in "10.1.0.7" or "10.1.0.0/16"') from None
    if network.prefixlen == 0:
        raise ValueError("everybody could say who they are; name the proxy's own addresses")
    return str(network)


Secret = Annotated[SecretStr, AfterValidator(_secret)]
"""What people or programs sign in with."""


class UserBlock(Block):
    """`[service.access.users.NAME]`: somebody who signs in by name and password."""

    password: Secret
    """A secret: OPSYNC_SERVICE__ACCESS__USERS__NAME__PASSWORD."""

    role: Literal["read", "approve"] = "read"
    """"read" sees every page; "approve" also decides: approves, takes back, pauses."""


class AccessBlock(Block):
    """`[service.access]`: who may see the pages, and who may decide there."""

    token: Secret | None = None
    """Whoever has it may decide. A secret: OPSYNC_SERVICE__ACCESS__TOKEN."""

    read_token: Secret | None = None
    """Whoever has it may look. A secret: OPSYNC_SERVICE__ACCESS__READ_TOKEN."""

    users: dict[str, UserBlock] = Field(default_factory=dict)
    """People with a password of their own, by name."""

    proxy_header: Annotated[str, AfterValidator(_header)] = ""
    """The header in which a proxy that signs people in names them, such as "X-Forwarded-User"."""

    proxy_from: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        default=(), validate_default=True
    )
    """The addresses or networks of that proxy: from elsewhere the header counts for nothing."""

    approvers: tuple[str, ...] = ()
    """Those whom the proxy names that may decide; all others may look."""

    @property
    def given(self) -> bool:
        """Whether there is any way to sign in."""
        return bool(self.token or self.read_token or self.users or self.proxy_header)

    @field_validator("read_token")
    @classmethod
    def _apart(cls, value: SecretStr | None, so_far: ValidationInfo) -> SecretStr | None:
        if value is not None and value == so_far.data.get("token"):
            raise ValueError("is the same as token: whoever may read could decide")
        return value

    @field_validator("users")
    @classmethod
    def _named(cls, value: dict[str, UserBlock]) -> dict[str, UserBlock]:
        if not all(len(name) <= _USER_MAX and _USER.fullmatch(name) for name in value):
            raise ValueError(
                "a name is lower-case letters and digits, with single . _ @ + - between them, "
                f"at most {_USER_MAX} in all"
            )
        return value

    @field_validator("proxy_from")
    @classmethod
    def _from_somewhere(cls, value: tuple[str, ...], so_far: ValidationInfo) -> tuple[str, ...]:
        header = so_far.data.get("proxy_header")
        if header and not value:
            raise ValueError(
                "missing; name the proxy's addresses, or everybody could say who they are"
            )
        if value and header == "":
            raise ValueError("wants proxy_header, the header in which the proxy names people")
        return value

    @field_validator("approvers")
    @classmethod
    def _named_by_proxy(cls, value: tuple[str, ...], so_far: ValidationInfo) -> tuple[str, ...]:
        if value and so_far.data.get("proxy_header") == "":
            raise ValueError("are names that a proxy gives; without one, give users a role")
        return value


class ServiceBlock(Block):
    """`[service]`: how `opsync serve` is reached, and how it paces itself."""

    listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:8484"
    """Host and port of the pages. All but this machine's own addresses want `[service.access]`."""

    webhooks_listen: Annotated[str, AfterValidator(_listen_or_none)] = ""
    """Another host and port for change signals alone, which are signed; "": the same."""

    hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = ()
    """Further names by which the pages are reached. Requests for all others are refused."""

    public_url: Annotated[str, AfterValidator(_public)] = ""
    """How tools and people reach it from outside: for change signals, and links in digests."""

    debounce_s: Annotated[float, Field(ge=0, le=60)] = 0.5
    """Seconds that a change signal waits for more of its kind."""

    jitter: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    """The share by which reads are spread about their time."""

    drain_s: Annotated[float, Field(ge=0, le=300)] = 10
    """Seconds that what is under way has to end when the service stops."""

    log_format: LogFormat = "auto"
    """How it logs: "json", one object a line; "console", text; "auto", text on a terminal only."""

    tracing: TracingBlock = Field(default_factory=TracingBlock)
    """Where it tells what took how long."""

    access: AccessBlock = Field(default_factory=AccessBlock, validate_default=True)
    """Who may see and decide."""

    digest: DigestBlock = Field(default_factory=DigestBlock)
    """The digest of the week, sent by itself."""

    health_page: HealthPageBlock = Field(default_factory=HealthPageBlock)
    """The page that says whether opsync can do its work."""

    @property
    def address(self) -> Listen:
        """Where the pages are served."""
        return listen_of(self.listen)

    @property
    def webhooks_address(self) -> Listen | None:
        """Where change signals come in, if that is apart from the pages."""
        return listen_of(self.webhooks_listen) if self.webhooks_listen else None

    @property
    def public_host(self) -> str:
        """The host of `public_url`, "" without one."""
        return (urlsplit(self.public_url).hostname or "").rstrip(".")

    @field_validator("webhooks_listen")
    @classmethod
    def _elsewhere(cls, value: str, so_far: ValidationInfo) -> str:
        if value and value == so_far.data.get("listen") and listen_of(value).port:
            raise ValueError('is the same as listen: leave it at ""')
        return value

    @field_validator("access")
    @classmethod
    def _guarded(cls, value: AccessBlock, so_far: ValidationInfo) -> AccessBlock:
        listen = so_far.data.get("listen")
        if listen and not listen_of(listen).loopback and not value.given:
            raise ValueError(
                f'nobody would have to sign in, and others can reach listen, "{listen}"; set '
                "OPSYNC_SERVICE__ACCESS__TOKEN, or users or proxy_header here, or listen on "
                '"127.0.0.1:8484"'
            )
        return value
