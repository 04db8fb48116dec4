"""The proxy that the environment names for a server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
    Raises ValueError without the address where the environment's cannot be read.
    """
    from urllib.request import getproxies_environment, proxy_bypass

    proxies = getproxies_environment()
    url = proxies.get(server.scheme) or proxies.get("all")
    if not url or server.is_loopback:
        return None
    if proxy_bypass(f"{server.host}:{server.port}"):
        return None
    return _proxy(url if "://" in url else f"http://{url}")


def _proxy(url: str) -> Proxy:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    if not host or parts.scheme not in {"http", "https"}:
        raise ValueError("the environment's proxy is neither http:// nor https://")
    return Proxy(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), url)
