"""Where a server is: the address that somebody typed, checked before anything is sent there."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from tui.text import plain

if TYPE_CHECKING:
    from pydantic import SecretStr

PREFIX = "/api/v1"
"""The path that all calls begin with, where nothing else is set (contract 1)."""

LIST_LIMIT = 64 * 2**20
"""The most that a list of keys may be, decoded, in bytes, unless it is set otherwise."""

_PORTS = {"https": 443, "http": 80}
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_API_PATH = re.compile(r"(?:/[A-Za-z0-9_~.-]+)*/api/v[0-9]+")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9_~.-]+)*")


class AddressFault(Enum):
    """What is wrong with an address."""

    EMPTY = "empty"
    SCHEME = "scheme"
    USER_INFO = "user info"
    PORT = "port"
    HOST = "host"
    QUERY = "query"
    PATH = "path"
    PLAIN_HTTP = "plain http"
    CA_FILE = "ca file"


class BadAddress(ValueError):
    """An address that the program does not call; it tells the reason, never the text itself.

    The text may hold a password, so it stays out of the error. `detail` is the part of it that
    would do or, for a CA file, its name and what is wrong with it.
    """

    def __init__(self, reason: AddressFault, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True)
class Server:
    """One server and how to call it: `url` is `https://host[:port]`, in lower case and ASCII.

    `ca_file` is trusted besides the system's store; `client_id` and `client_secret` are the
    installation's OAuth client (contract 2), none where `client_id` is empty. A list of its keys
    may be `list_limit` bytes, decoded.
    """

    url: str
    scheme: str
    host: str
    port: int
    prefix: str = PREFIX
    ca_file: Path | None = None
    client_id: str = ""
    client_secret: SecretStr | None = field(default=None, repr=False)
    plain_http_allowed: bool = False
    known_as: str = ""
    """The `url` by which this host remembers the server, where it has several addresses."""
    list_limit: int = LIST_LIMIT

    @property
    def identity(self) -> str:
        """What names the server in the journal, and wherever else it is remembered."""
        return self.known_as or self.url

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine by its very name: `localhost`, 127.0.0.0/8, `::1`."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_exposed(self) -> bool:
        """Whether passwords and keys would travel in the clear: plain http beyond this machine."""
        return self.scheme == "http" and not self.is_loopback


def parse_server(
    text: str,
    *,
    prefix: str = PREFIX,
    ca_file: Path | None = None,
    client_id: str = "",
    client_secret: SecretStr | None = None,
    plain_http_allowed: bool = False,
    list_limit: int = LIST_LIMIT,
) -> Server:
    """Return the server that `text` names, `https` where no scheme was typed.

    A path that ends like `/api/v1` takes the place of `prefix`; any other path is refused.
    Raises BadAddress.
    """
    scheme, authority, path = _parts(text)
    host, port = _host_and_port(authority, _PORTS[scheme])
    bracketed = f"[{host}]" if ":" in host else host
    url = f"{scheme}://{bracketed}" if port == _PORTS[scheme] else f"{scheme}://{bracketed}:{port}"
    if "?" in path or "#" in path:
        raise BadAddress(AddressFault.QUERY, url)
    if path and not _API_PATH.fullmatch(path):
        raise BadAddress(AddressFault.PATH, url)
    server = Server(
        url=url,
        scheme=scheme,
        host=host,
        port=port,
        prefix=_prefix(path or prefix.rstrip("/"), url),
        ca_file=ca_file,
        client_id=client_id,
        client_secret=client_secret,
        plain_http_allowed=plain_http_allowed,
        list_limit=list_limit,
    )
    if server.is_exposed and not plain_http_allowed:
        raise BadAddress(AddressFault.PLAIN_HTTP)
    if ca_file is not None:
        check_ca_file(ca_file)
    return server


def _parts(text: str) -> tuple[str, str, str]:
    text = text.strip()
    if not text:
        raise BadAddress(AddressFault.EMPTY)
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "https", text
    if scheme.lower() not in _PORTS:
        raise BadAddress(AddressFault.SCHEME)
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        raise BadAddress(AddressFault.USER_INFO)
    return scheme.lower(), authority, rest[len(authority) :].rstrip("/")


def _host_and_port(authority: str, default: int) -> tuple[str, int]:
    if authority.startswith("["):
        literal, bracket, rest = authority[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise BadAddress(AddressFault.HOST)
        return _ipv6(literal), _port(rest[1:]) if rest else default
    if authority.count(":") > 1:
        return _ipv6(authority), default
    name, colon, port = authority.partition(":")
    return _host(name), _port(port) if colon else default


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise BadAddress(AddressFault.PORT)
    return int(text)


def _ipv6(text: str) -> str:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        raise BadAddress(AddressFault.HOST) from None
    if address.scope_id:
        raise BadAddress(AddressFault.HOST)
    return str(address)


def _host(text: str) -> str:
    host = text.lower() if text.isascii() else _in_ascii(text)
    host = host.removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise BadAddress(AddressFault.HOST)
    if labels[-1].isdigit():
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise BadAddress(AddressFault.HOST) from None
    return host


def _in_ascii(text: str) -> str:
    import idna  # slow to import, and hardly ever needed

    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except UnicodeError:
        raise BadAddress(AddressFault.HOST) from None


def _prefix(path: str, url: str) -> str:
    if not _PREFIX.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise BadAddress(AddressFault.PATH, url)
    return path


def check_ca_file(ca_file: Path) -> None:
    """Raise BadAddress, with the file's name and what is wrong, unless it holds certificates."""
    import ssl  # slow to import, and hardly ever needed

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    wrong = ""
    try:
        if ca_file.is_file():
            context.load_verify_locations(ca_file)
        else:
            wrong = "it is not a file" if ca_file.exists() else "it does not exist"
    except (ssl.SSLError, ValueError):
        pass
    except OSError as error:
        wrong = error.strerror or "it can't be read"
    if not context.cert_store_stats()["x509"]:
        wrong = wrong or "it holds no certificate in PEM form"
        raise BadAddress(AddressFault.CA_FILE, f"{plain(str(ca_file))}: {wrong}")
