"""An error in words: title, detail, hint, fields, technical details."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem in words; `fields` holds sentences by field name, `technical` the details view.

    The sentence beside a password is also the detail, for screens that show no field errors.
    """

    title: str
    detail: str = ""
    hint: str = ""
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    technical: str = ""

    @property
    def one_line(self) -> str:
        """The most telling sentence: what is said of a field, else the title."""
        return " ".join(self.fields.values()) or self.title
