"""The question before one of several keys that are alike is rotated."""

from __future__ import annotations

from textual.content import Content

from tui.api.models import Key
from tui.keys.key_record import UnfinishedRotation
from tui.text import count, mask, short
from tui.ui.screens.dialog import ConfirmScreen

_LONGEST_LIST = 5


class AlikeScreen(ConfirmScreen):
    """Names the keys that are alike to the one to be rotated; nothing is made of the likeness."""

    def __init__(self, key: Key, alike: UnfinishedRotation) -> None:
        others = [other for other in (alike.predecessor, *alike.successors) if other.id != key.id]
        named = [f"· {_describe(other)}" for other in others[:_LONGEST_LIST]]
        if len(others) > _LONGEST_LIST:
            named.append(f"· and {count(len(others) - _LONGEST_LIST, 'other')}")
        lines = [
            f"{_describe(key)} has the same label, grants and allowed IPs as:",
            *named,
            "",
            "It is not known whether one of them was created to replace another. Rotating this key "
            "creates a successor of it, and changes none of the others.",
        ]
        super().__init__(
            "Rotate one of several similar keys?", Content("\n".join(lines)), yes="Rotate it"
        )


def _describe(key: Key) -> str:
    """Return short key, owner and date of a key, as far as the server tells them."""
    created = key.created_at
    parts = [
        mask(key.short_key) if key.short_key else "a key without a short key",
        f"of {short(key.owner, 30)}" if key.owner else "",
        f"made on {created:%Y-%m-%d}" if created else "of unknown date",
    ]
    return ", ".join(filter(None, parts))
