"""The types of a configuration that was read, and of its faults; quick to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tui.text import plain


class Position(NamedTuple):
    """Where something stands in a text; lines and columns count from 1, columns in characters."""

    line: int
    column: int


FIRST = Position(1, 1)


@dataclass(frozen=True, slots=True)
class ConfigFault:
    """What is wrong at one place of the file."""

    position: Position
    sentence: str


class BadConfig(Exception):
    """The file can't be used; `faults` are all that is wrong with it."""

    def __init__(self, path: Path, faults: list[ConfigFault]) -> None:
        super().__init__(path, faults)
        self.path, self.faults = path, sorted(faults, key=lambda fault: fault.position)

    @property
    def lines(self) -> list[str]:
        """`FILE:LINE:COLUMN: what is wrong`, a line each."""
        file = plain(str(self.path))
        return [
            f"{file}:{fault.position.line}:{fault.position.column}: {fault.sentence}"
            for fault in self.faults
        ]


@dataclass(frozen=True, slots=True)
class Value:
    """What a setting means, as it stands in the file, and where."""

    meaning: object
    written: object
    position: Position = FIRST


Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What the file settles in general, and for each server; empty where there is none."""

    path: Path | None = None
    general: Values = field(default_factory=dict)
    servers: Mapping[str, Values] = field(default_factory=dict)
