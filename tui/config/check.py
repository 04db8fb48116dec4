"""Checks that the certificates, files and programs that the configuration names exist."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from tui.api.address import BadAddress, check_ca_file
from tui.config.config_file import BadConfig, ConfigFault, ConfigFile, Value, Values
from tui.text import plain


def check_references(config: ConfigFile) -> None:
    """Raise BadConfig with all that the file refers to and that is missing on this host."""
    tables = [config.general, *config.servers.values()]
    faults = [fault for table in tables for fault in _missing(table)]
    if faults and config.path is not None:
        raise BadConfig(config.path, faults)


def _missing(table: Values) -> Iterator[ConfigFault]:
    for name, value in table.items():
        for sentence in _complaints(name, value):
            yield ConfigFault(value.position, f"{name}: {sentence}")


def _complaints(name: str, value: Value) -> Iterator[str]:
    meaning = value.meaning
    if name == "ca_file" and isinstance(meaning, Path):
        try:
            check_ca_file(meaning)
        except BadAddress as error:
            yield error.detail
    elif name == "client_secret_file" and isinstance(meaning, Path):
        if not meaning.is_file():
            yield f"{plain(str(meaning))}: there is no such file"
    elif name.endswith("_command") and isinstance(meaning, tuple):
        if shutil.which(meaning[0]) is None:
            yield f"there is no program {plain(meaning[0])} here that you may run"
    elif name == "deliver" and isinstance(meaning, Mapping):
        yield from _undeliverable(meaning)


def _undeliverable(commands: Mapping[str, str]) -> Iterator[str]:
    from tui.delivery import CommandDelivery, DeliveryFailed  # slow to import, and only checked

    for name, command in commands.items():
        try:
            CommandDelivery(command).check()
        except DeliveryFailed as failure:
            yield f"{plain(name)}: {failure.sentence}"
