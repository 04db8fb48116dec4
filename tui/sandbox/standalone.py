"""`momentum-keys sandbox`: the node alone, in a terminal of its own."""

from __future__ import annotations

import shlex
import sys

from tui.sandbox.options import (
    Announcement,
    SandboxFailed,
    SandboxMissing,
    SandboxOptions,
    require_packages,
)

__all__ = ["SandboxOptions", "run"]


def run(options: SandboxOptions) -> int:
    """Run the node on 127.0.0.1 until it is stopped; returns the exit code, 2 if it can't start."""

    def announce(announcement: Announcement) -> None:
        sys.stdout.write(banner(announcement, options))
        sys.stdout.flush()

    try:
        require_packages(tls=options.tls)
        from tui.sandbox.running import run_node

        run_node(options, announce)
    except (SandboxMissing, SandboxFailed) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    return 0


def banner(announcement: Announcement, options: SandboxOptions) -> str:
    """Return what the terminal shows: where the node is, what signs in, how to try a key."""
    rows = "".join(f"  {name:<17}{value}\n" for name, value in _rows(announcement, options))
    trust = f" --cacert {shlex.quote(announcement.ca_file)}" if announcement.ca_file else ""
    return (
        f"A Momentum node in miniature ({options.edition}) is running; ctrl+c stops it.\n\n"
        f"{rows}\n"
        "Try a key: run this, type Authorization: KEY, then Enter and ctrl+d\n"
        f"  curl{trust} -H @- {announcement.url}/api/v1/metrics/\n\n"
        "It is not a mail server: it sends nothing.\n"
    )


def _rows(announcement: Announcement, options: SandboxOptions) -> list[tuple[str, str]]:
    earlier = f"the one shown when {options.data} was made"
    rows = [("Address", announcement.url)]
    if not options.auth:
        rows.append(("Authentication", "switched off: everybody may do everything"))
    rows.append(("User", announcement.username))
    rows.append(("Password", announcement.password or earlier))
    if announcement.access_token is not None:
        rows.append(("", "refused as it is, for the account uses single sign-on"))
        rows.append(("Access token", announcement.access_token))
    if announcement.code is not None:
        rows.append(("Two-factor code", announcement.code))
    # The client is shown whenever its secret can be: a directory may be started with
    # --require-client later on.
    if options.require_client or (options.data and announcement.client_secret):
        rows.append(("Client id", announcement.client_id))
        rows.append(("Client secret", announcement.client_secret or earlier))
    if announcement.ca_file is not None:
        rows.append(("CA file", announcement.ca_file))
    if options.faults:
        rows.append(("Faults", ", ".join(options.faults)))
    kept = "in memory, gone when this stops" if options.data is None else str(options.data)
    return [*rows, ("Data", kept)]
