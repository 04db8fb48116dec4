"""A node run in this process until somebody stops it."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import sqlite3
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tui.sandbox.application import application
from tui.sandbox.catalogue import edition
from tui.sandbox.faults import FaultyNode
from tui.sandbox.http_server import QuietServer, listen, url_of
from tui.sandbox.node_context import Rules
from tui.sandbox.options import Announcement, SandboxFailed, SandboxOptions
from tui.sandbox.seeding import Credentials, seed
from tui.sandbox.store import Store, UnfitData

CA_FILE = "ca.pem"

Announce = Callable[[Announcement], None]


def run_node(options: SandboxOptions, announce: Announce, parent: int | None = None) -> None:
    """Run a node until ctrl+c, SIGTERM, SIGHUP, or the end of the file `parent`.

    `announce` is called once, when the node can be reached. Raises `SandboxFailed` where the
    options, the port or the data directory are no good.
    """
    problem = options.problem()
    if problem is not None:
        raise SandboxFailed(problem)
    rules = Rules(edition(options.edition), options.account, options.auth, options.require_client)
    with _listener(options.port) as listener, closing(_store(options)) as store:
        credentials = _credentials(store, rules, options)
        app = FaultyNode.of(application(store, rules), options.faults)
        with _certificate(options) as (tls, ca_file):
            url = url_of(listener, "https" if tls else "http")
            announcement = Announcement(url, *credentials, ca_file)
            server = QuietServer(app, tls)
            asyncio.run(_serve(server, listener, lambda: announce(announcement), parent))


def _listener(port: int) -> socket.socket:
    try:
        return listen(port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SandboxFailed(f"Port {port} on 127.0.0.1 is taken; choose another.") from None
        raise SandboxFailed(f"Port {port} can't be used: {error.strerror}.") from None


def _store(options: SandboxOptions) -> Store:
    try:
        return Store(options.data)
    except UnfitData as unfit:
        raise SandboxFailed(str(unfit)) from None


@contextmanager
def _certificate(options: SandboxOptions) -> Iterator[tuple[ssl.SSLContext | None, str | None]]:
    """Yield what the node speaks https with, and the file of the authority that vouches for it.

    The authority is made anew at every start. Its file lies in the node's directory, else in one
    that is gone with the node.
    """
    if not options.tls:
        yield None, None
        return
    import trustme

    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    with ExitStack() as stack:
        directory = options.data or Path(stack.enter_context(TemporaryDirectory()))
        file = directory.resolve() / CA_FILE
        file.unlink(missing_ok=True)
        authority.cert_pem.write_to_path(str(file))
        yield context, str(file)


def _credentials(store: Store, rules: Rules, options: SandboxOptions) -> Credentials:
    try:
        return seed(store, rules)
    except sqlite3.Error as error:
        raise SandboxFailed(f"{options.data} can't be used: {error}.") from None


async def _serve(
    server: QuietServer, listener: socket.socket, announce: Callable[[], None], parent: int | None
) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, server.leave)

    def listen_to_parent(descriptor: int) -> None:
        if not os.read(descriptor, 1024):
            loop.remove_reader(descriptor)
            server.leave()

    if parent is not None:
        loop.add_reader(parent, listen_to_parent, parent)
    announce()
    await server.serve(sockets=[listener])
