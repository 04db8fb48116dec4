"""The profiles of the servers, joined from the options and the configuration."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from tui.cli.arguments import COMMANDS
from tui.config.config_file import ConfigFile
from tui.config.paths import config_path
from tui.config.profile import InForce, Profile, in_force, profile
from tui.text import did_you_mean
from tui.ui.themes import CHOICES

if TYPE_CHECKING:
    from tui.config.settings import Vocabulary


def vocabulary() -> Vocabulary:
    """Return the names that a configuration may use."""
    from tui.config.settings import Vocabulary  # as `configuration` has it

    return Vocabulary(CHOICES, COMMANDS, _wrong_keys)


def _wrong_keys(key_map: Mapping[str, str]) -> Mapping[str, str]:
    """Return what is wrong with a key map, by the names of its commands."""
    from tui.ui.key_map import wrong_keys  # it loads Textual

    return wrong_keys(key_map)


def configuration() -> ConfigFile:
    """Return what the file in force settles, nothing where there is none; raises BadConfig."""
    path = config_path()
    with suppress(PermissionError):  # which reading it tells
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return ConfigFile(path)
    from tui.config.read_config import read_config  # where there is a file, and not for --help

    return read_config(path, vocabulary())


def program_options(options: argparse.Namespace) -> dict[str, InForce]:
    """Return what the command line settles, whichever server is called."""
    given = {}
    if options.theme:
        given["theme"] = InForce(options.theme, options.theme, "--theme")
    if options.lock_after is not None:
        given["lock_after"] = InForce(options.lock_after, options.lock_after / 60, "--lock-after")
    if options.ascii:
        given["ascii"] = InForce(True, True, "--ascii")
    if options.no_mouse:
        given["no_mouse"] = InForce(True, True, "--no-mouse")
    return given


def server_options(options: argparse.Namespace) -> dict[str, InForce]:
    """Return what the command line settles for the server that is called at the start."""
    rows = (
        ("url", options.url, "--url"),
        ("user", options.username, "--username"),
        ("ca_file", options.ca_file, "--ca-file"),
        ("client_id", options.client_id, "--client-id"),
        ("allow_http", options.allow_http, "--allow-http"),
    )
    return {name: InForce(given, given, origin) for name, given, origin in rows if given}


def server_name(options: argparse.Namespace, config: ConfigFile) -> str:
    """Return the name of the server to start with; nothing where none is named.

    The only one of the configuration needs no naming, unless an address is given.
    """
    if options.words:
        return str(options.words[0])
    return next(iter(config.servers)) if len(config.servers) == 1 and not options.url else ""


def unknown_server(name: str, config: ConfigFile) -> str:
    """Return why there is no such server."""
    close = did_you_mean(name, [*config.servers, *COMMANDS])
    where = f" in {config.path}" if config.servers else ""
    return f"there is no command or server {name!r}{where}{close}"


def configured_profile(name: str, options: argparse.Namespace, config: ConfigFile) -> Profile:
    """Return the profile of a server, or with no name what counts for servers without a table."""
    return profile(name, in_force(config, name, program_options(options)))


def profiles(options: argparse.Namespace, config: ConfigFile) -> dict[str, Profile]:
    """Return the profiles of all servers, in the order of the file."""
    return {name: configured_profile(name, options, config) for name in config.servers}


def start_profile(name: str, options: argparse.Namespace, config: ConfigFile) -> Profile:
    """Return the profile to start with: of the server that is named, or of none."""
    given = {**program_options(options), **server_options(options)}
    return profile(name, in_force(config, name, given))


def unfit_server(profile: Profile) -> str:
    """Return what is wrong with the server's address or certificates, or nothing."""
    from tui.api.address import AddressFault, BadAddress, check_ca_file, parse_server

    origin = f"server {profile.name}: " if profile.name else "--"
    try:
        if profile.ca_file is not None:
            check_ca_file(profile.ca_file)
        if profile.url:
            parse_server(profile.url, plain_http_allowed=profile.allow_http)
    except BadAddress as error:
        if error.reason is AddressFault.CA_FILE:
            return f"{origin}{'ca_file' if profile.name else 'ca-file'} {error.detail}"
        from tui.problems import describe

        problem = describe(error)
        what, hint = (text[0].lower() + text[1:] for text in (problem.title, problem.hint))
        return f"{origin}url: {what}; {hint.rstrip('.')}"
    return ""
