"""Finished commands to hand a secret to: those of the configuration, and for what is on PATH."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass

FOR_PROGRAMS = (
    "vault kv put -mount=secret momentum/{label} key=-",
    "bao kv put -mount=secret momentum/{label} key=-",
    "pass insert --multiline momentum/{label}",
    "gopass insert --multiline momentum/{label}",
    "op document create - --title {label}",
    "kubectl create secret generic {label} --from-file=key=/dev/stdin",
    "systemd-creds encrypt --name={label} - /etc/credstore.encrypted/{label}",
    "age --recipient RECIPIENT --output {label}.age",
    "gcloud secrets create {label} --data-file=-",
    "secret-tool store --label={label} momentum {label}",
)
"""One command for each program that takes a secret on its standard input, to be changed at will."""

LAST = "last one"
"""The name of the command that was used last, where it is none of the others."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A command with a name: that of the configuration, or the program's."""

    name: str
    command: str


def recipes(named: Mapping[str, str], last: str, path: str | None) -> tuple[Recipe, ...]:
    """Return the `named` commands, then the `last` one, then those whose program is on `path`.

    No command is there twice. Looks into the directories of `path`: waits for the disk.
    """
    offered = {command: name for name, command in named.items()}
    if last:
        offered.setdefault(last, LAST)
    for command in FOR_PROGRAMS:
        program = command.partition(" ")[0]
        if shutil.which(program, path=path) is not None:
            offered.setdefault(command, program)
    return tuple(Recipe(name, command) for command, name in offered.items())
