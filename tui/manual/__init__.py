"""The manual: written once, in Markdown beside this file, for screen, command line and reader."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

NAMES = (
    "start",
    "sign-in",
    "access-token",
    "keys",
    "search",
    "grants",
    "create",
    "secret",
    "rotate",
    "many",
    "pause",
    "verify",
    "journal",
    "smtp",
    "errors",
    "options",
    "configuration",
    "keyboard",
    "terminal",
    "security",
    "sandbox",
)
"""The topics, in the order in which they are read."""

_ALSO_CALLED = {
    "login": "sign-in",
    "token": "access-token",
    "list": "keys",
    "permissions": "grants",
    "new": "create",
    "delivery": "secret",
    "rotation": "rotate",
    "bulk": "many",
    "resume": "pause",
    "config": "configuration",
    "profiles": "configuration",
    "shortcuts": "keyboard",
    "colours": "terminal",
    "colors": "terminal",
}


class NoSuchTopic(Exception):
    """The manual has no such topic; `close` is the one spelt nearly so, or nothing."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.close = next(iter(get_close_matches(name.lower(), [*NAMES, *_ALSO_CALLED], 1)), "")


@dataclass(frozen=True, slots=True)
class Topic:
    """One page: its name on the command line, and its text in Markdown, headed by its title."""

    name: str
    text: str

    @property
    def title(self) -> str:
        """What the page is headed by."""
        return self.text.partition("\n")[0].removeprefix("# ")


@cache
def topic(name: str) -> Topic:
    """Return a page by its name, or by another word for it; raises NoSuchTopic."""
    known = _ALSO_CALLED.get(name.lower(), name.lower())
    if known not in NAMES:
        raise NoSuchTopic(name)
    return Topic(known, (files(__package__) / f"{known}.md").read_text(encoding="utf-8"))


def topics() -> tuple[Topic, ...]:
    """Return all pages, in order."""
    return tuple(map(topic, NAMES))


@cache
def answered_errors() -> tuple[tuple[int, str], ...]:
    """Return the errors that come with an HTTP status: their blocks on the page `errors`, in words.

    As in `You are not permitted to do this (status 403)`.
    """
    from tui.manual.layout import blocks

    items = (
        (number, re.match(r"(.+?)\. Status ([^.:]+)[.:]", block.text))
        for number, block in enumerate(blocks(topic("errors").text))
    )
    return tuple((number, f"{item[1]} (status {item[2]})") for number, item in items if item)


def errors_with_status(status: str) -> tuple[str, ...]:
    """Return the entries of the page `errors` that name an HTTP status, in words."""
    from tui.manual.layout import blocks

    if not re.fullmatch(r"[1-5][0-9]{2}", status):
        return ()
    page = blocks(topic("errors").text)
    return tuple(
        page[number].text
        for number, sentence in answered_errors()
        if re.search(rf"\b{status}\b", sentence.partition(" (status ")[2])
    )


def topics_with(words: str) -> tuple[Topic, ...]:
    """Return the pages in which the words occur as they are, first those that have them in titles.

    Upper and lower case count the same.
    """
    if not words.strip():
        return ()
    phrase = re.compile(rf"(?<!\w){re.escape(words)}(?!\w)", re.IGNORECASE)
    counts = {page: len(phrase.findall(page.text)) for page in topics()}
    pages = [page for page, count in counts.items() if count]
    return tuple(sorted(pages, key=lambda page: (not phrase.search(page.title), -counts[page])))


_TABLE = re.compile(r"(<!-- (\w+(?:: \w+)?) -->\n)(?:(?!<!--).)*(?=<!-- \w+: end -->)", re.DOTALL)


def with_tables(text: str, table: Callable[[str], str | None]) -> str:
    """Return a page with other tables: `table` is called with what each one's comment names.

    Where it returns None, a table stays as it is.
    """

    def replaced(match: re.Match[str]) -> str:
        rows = table(match[2])
        return match[0] if rows is None else f"{match[1]}\n{rows}\n"

    return _TABLE.sub(replaced, text)
