"""The proxy that the environment names for a server."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.api.errors import BadProxy
from tui.text import short

if TYPE_CHECKING:
    from tui.api.address import Server


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy as the environment tells it; `url` may hold a password, so it is never shown."""

    scheme: str
    host: str
    port: int
    url: str = field(repr=False)

    @property
    def shown(self) -> str:
        """The proxy's address without its user name and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def proxy_for(server: Server) -> Proxy | None:
    """Return the proxy that stands between the program and `server`, as `https_proxy` & co. say.

    This machine is always called directly: by way of a proxy, plain http to it would leave it.
    Raises BadProxy, without the address, where the environment's can't be used.
    """
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    from urllib.request import getproxies_environment  # it takes long to load

    proxies = getproxies_environment()
    kind = server.scheme if proxies.get(server.scheme) else "all"
    url = proxies.get(kind)
    if not url or server.is_loopback:
        return None
    if any(_names(entry, server) for entry in re.split(r"[,\s]+", _no_proxy())):
        return None
    return _proxy(url if "://" in url else f"http://{url}", _variable(f"{kind}_proxy"))


def _no_proxy() -> str:
    return os.environ.get("no_proxy", os.environ.get("NO_PROXY", ""))


def _names(entry: str, server: Server) -> bool:
    """Tell whether an entry of `no_proxy` names a server, by curl's rules.

    `*` names all; a host name names itself and all below it, with or without `.` or `*.` before
    and `.` behind it; an address names itself, with or without brackets; `10.0.0.0/8` a network.
    `name:port` names one port.
    """
    name, port = _entry_parts(entry.lower())
    if not name or port not in ("", str(server.port)):
        return False
    if name == "*":
        return True
    try:
        address = ipaddress.ip_address(server.host)
    except ValueError:
        domain = name.removeprefix("*").strip(".")
        return bool(domain) and f".{server.host}".endswith(f".{domain}")
    try:
        return address in ipaddress.ip_network(name, strict=False)
    except ValueError:
        return False


def _entry_parts(entry: str) -> tuple[str, str]:
    """Return the name and the port of an entry; the port is empty where it has none."""
    bracketed = re.fullmatch(r"\[([0-9a-f:.]+)\](/[0-9]+)?(?::([0-9]+))?", entry)
    if bracketed:
        return bracketed[1] + (bracketed[2] or ""), bracketed[3] or ""
    name, colon, port = entry.partition(":")
    return (name, port) if colon and ":" not in port else (entry, "")


def _variable(name: str) -> str:
    """Return the environment's own spelling of `name`; the lower case counts first."""
    return name if os.environ.get(name) else name.upper()


def _proxy(url: str, variable: str) -> Proxy:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        raise BadProxy(variable) from None
    if host and scheme not in {"http", "https"}:
        raise BadProxy(variable, short(scheme, 12))
    beyond = parts.path + parts.query + parts.fragment  # where half of a password may end up
    if not host or not re.fullmatch(r"[\w.:-]+", host) or "@" in beyond:
        raise BadProxy(variable)
    return Proxy(scheme, host, port or (443 if scheme == "https" else 80), url)
