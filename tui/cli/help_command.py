"""`momentum-keys help`: the manual as plain text."""

from __future__ import annotations

import argparse
import shutil
import sys
from typing import TYPE_CHECKING

from tui.cli.arguments import command_parser
from tui.cli.refusal import refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.manual import Topic

_TOPIC = "a page, an HTTP status such as 403, or a word to look for; without it, list the pages"
_ALL_ERRORS = "`momentum-keys help errors` lists all errors."
WIDEST = 100
"""How many columns a line has at most, so that it is read with ease."""


def run(options: argparse.Namespace) -> int:
    """Print a page of the manual, or which pages there are; returns the exit code."""
    from tui.manual import NoSuchTopic, errors_with_status, topic, topics, topics_with
    from tui.manual.layout import as_text

    parser = command_parser("help")
    parser.add_argument("topic", nargs="?", metavar="TOPIC", help=_TOPIC)
    name = parser.parse_args(options.words).topic
    if name is None:
        _print_list("momentum-keys help TOPIC prints a page of the manual:", topics())
        return 0
    width = min(WIDEST, shutil.get_terminal_size().columns)
    if entries := errors_with_status(name):
        items = "".join(f"- {entry}\n" for entry in entries)
        print_text(as_text(f"# Status {name}\n\n{items}\n{_ALL_ERRORS}", width))
        return 0
    try:
        print_text(as_text(topic(name).text, width))
    except NoSuchTopic as missing:
        if pages := topics_with(name):
            _print_list(f"The manual has no page {name!r}. Pages that hold the word:", pages)
            return 0
        close = f"; did you mean {missing.close}?" if missing.close else ""
        return refuse(f"the manual has no page {name!r}{close}; momentum-keys help lists them")
    return 0


def _print_list(heading: str, pages: Sequence[Topic]) -> None:
    width = max(len(page.name) for page in pages)
    lines = [f"  {page.name:<{width}}  {page.title}" for page in pages]
    print_text("\n".join([heading, "", *lines]))


def print_text(text: str) -> None:
    """Print a text; characters that standard output can't carry become question marks."""
    if sys.stdout is None:  # as it is where it was closed
        return
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.rstrip().encode(encoding, "replace").decode(encoding) + "\n")
