"""The proxy that the environment names for a server."""

from __future__ import annotations

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
    from urllib.request import getproxies_environment, proxy_bypass

    proxies = getproxies_environment()
    kind = server.scheme if proxies.get(server.scheme) else "all"
    url = proxies.get(kind)
    if not url or server.is_loopback:
        return None
    if proxy_bypass(f"{server.host}:{server.port}"):
        return None
    return _proxy(url if "://" in url else f"http://{url}", _variable(f"{kind}_proxy"))


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
