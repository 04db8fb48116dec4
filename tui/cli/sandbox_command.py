"""`momentum-keys sandbox`, and the program beside a sandbox."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui.cli.refusal import refuse
from tui.sandbox.options import SandboxMissing, SandboxOptions, require_packages

if TYPE_CHECKING:
    from tui.config.profile import Profile
    from tui.sandbox.options import Announcement
    from tui.ui.screens.login import SignInDefaults

_OF_A_SERVER = ("url", "username", "ca_file", "client_id", "allow_http")
"""The options that tell which server is called and how."""

_OF_SANDBOX_ALONE = ("--port", "--data", "--require-client")
"""The options of a sandbox that runs without the program."""


def run(options: argparse.Namespace) -> int:
    """Run the sandbox alone until ctrl+c; returns the exit code."""
    try:
        require_packages()
    except SandboxMissing as missing:
        return refuse(str(missing))
    from tui.sandbox.standalone import run as run_alone

    return run_alone(
        replace(
            sandbox_options(options),
            port=options.port or 0,
            data=options.data,
            require_client=options.require_client,
        )
    )


def sandbox_options(options: argparse.Namespace) -> SandboxOptions:
    """Return what both ways to run a sandbox have in common."""
    return SandboxOptions(
        edition=options.edition or "momentum-4.2",
        account=options.account or "password",
        auth=not options.no_auth,
        faults=tuple(options.fault),
        tls=options.tls,
    )


def sandbox_defaults(
    announcement: Announcement, profile: Profile, unused_config: str = ""
) -> SignInDefaults:
    """Return what stands in the form to sign in to a sandbox.

    The notice also tells why the configuration isn't used, if it isn't.
    """
    from pydantic import SecretStr

    from tui.ui.screens.login import SignInDefaults

    notices = ["Sandbox on this machine, gone when you leave"]
    if announcement.password:
        notices.append(f"password {announcement.password}")
    if announcement.code:
        notices.append(f"two-factor code {announcement.code}")
    if announcement.access_token:
        notices.append(f"access token {announcement.access_token}")
    notice = " · ".join(notices)
    if unused_config:
        notice += f"\nThe configuration isn't used: {unused_config}"
    return SignInDefaults(
        url=announcement.url,
        username=announcement.username,
        password=SecretStr(announcement.password) if announcement.password else None,
        ca_file=Path(announcement.ca_file) if announcement.ca_file else None,
        client_id=announcement.client_id,
        client_secret=SecretStr(announcement.client_secret or ""),
        notice=notice,
        profile=replace(profile, url=announcement.url, user=announcement.username),
    )


def unfit_options(options: argparse.Namespace) -> str:
    """Return why these options don't go together, or nothing."""
    if not options.command and (given := _of_sandbox_alone(options)):
        names = ", ".join(word for word in given if word in _OF_SANDBOX_ALONE)
        command = shlex.join(["momentum-keys", "sandbox", *given])
        return f"only with the sandbox alone: {names}, as in {command}"
    if options.command == "sandbox" and any(
        (options.theme, options.ascii, options.no_mouse, options.send_all)
    ):
        return (
            "--theme, --ascii, --no-mouse and --send-all are of the program, not of the sandbox "
            "alone"
        )
    if options.sandbox or options.command == "sandbox":
        given = ["--sandbox"] if options.sandbox and options.command else []
        given += [f"--{name.replace('_', '-')}" for name in _OF_A_SERVER if vars(options)[name]]
        return f"the sandbox is a server of its own: leave out {', '.join(given)}" if given else ""
    if options.edition or options.account or options.no_auth or options.tls or options.fault:
        return "--edition, --account, --no-auth, --tls and --fault go with --sandbox"
    return ""


def _of_sandbox_alone(options: argparse.Namespace) -> list[str]:
    """Return those of the arguments that only a sandbox without the program takes."""
    given = [] if options.port is None else ["--port", str(options.port)]
    if options.data is not None:
        given += ["--data", str(options.data)]
    return [*given, "--require-client"] if options.require_client else given
