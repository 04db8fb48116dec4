"""Sentences of the program's own in which keys are named."""

from __future__ import annotations

from textual.content import Content


def keyed(sentence: str, style: str = "") -> Content:
    """Return a sentence with what stands between backticks drawn as the footer draws keys.

    It must hold no text of the server's or the operator's, as nothing in it is quoted.
    """
    parts = sentence.split("`")
    return Content.assemble(
        *((part, "bold $text-accent" if place % 2 else style) for place, part in enumerate(parts))
    )
