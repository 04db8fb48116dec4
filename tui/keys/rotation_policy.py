"""How old a key may become before it is due for rotation, by its label."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

NEVER = "never"
"""What stands in place of an age for keys that are never due."""
AGE_FORMS = '"90d" (days), "12w" (weeks), "1y" (365 days) or "never"'
"""What an age may look like, in words."""

_AGE = re.compile(r"([1-9][0-9]{0,4})([dwy])")
_DAYS = {"d": 1, "w": 7, "y": 365}


def parse_age(text: str) -> timedelta | None:
    """Return the age that `text` tells, such as `90d`; None for `never`.

    Raises ValueError where it is none of AGE_FORMS.
    """
    if text == NEVER:
        return None
    match = _AGE.fullmatch(text)
    if match is None:
        raise ValueError(f"an age is {AGE_FORMS}")
    return timedelta(days=int(match[1]) * _DAYS[match[2]])


@dataclass(frozen=True)
class RotationPolicy:
    """The greatest age of keys: `age` of all, and of those whose label matches a pattern.

    In a pattern `*` is any characters and `?` is one; case doesn't count. Where several match a
    label, the one with the most other characters counts. None is no limit.
    """

    age: timedelta | None = None
    age_by_pattern: Mapping[str, timedelta | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether any key can become due."""
        return self.age is not None or any(self.age_by_pattern.values())

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], timedelta | None]]:
        """The patterns, those with the most characters of their own first."""
        by_length = sorted(self.age_by_pattern, key=lambda pattern: -len(_literals(pattern)))
        return [(_compiled(pattern), self.age_by_pattern[pattern]) for pattern in by_length]

    def age_for(self, label: str) -> timedelta | None:
        """Return how old a key with this label may become; marks don't belong to the label."""
        for pattern, age in self._patterns:
            if pattern.fullmatch(label):
                return age
        return self.age

    def is_due(self, label: str, created: datetime | None, now: datetime) -> bool:
        """Tell whether a key is as old as it may become, or older; both moments have a time zone.

        A key without a date of creation never is.
        """
        age = self.age_for(label) if self.age_by_pattern else self.age
        return age is not None and created is not None and now - created >= age


A_YEAR = RotationPolicy(timedelta(days=_DAYS["y"]))
"""What counts where nobody says otherwise."""


def _literals(pattern: str) -> str:
    return pattern.replace("*", "").replace("?", "")


def _compiled(pattern: str) -> re.Pattern[str]:
    """Return the pattern as a regular expression; there is nothing special but `*` and `?`."""
    parts = {"*": ".*", "?": "."}
    pieces = [parts.get(character) or re.escape(character) for character in pattern]
    return re.compile("".join(pieces), re.IGNORECASE | re.DOTALL)
