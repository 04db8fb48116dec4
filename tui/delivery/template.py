"""A command as the operator writes it: words, and placeholders in them."""

from __future__ import annotations

import re
import shlex
import string
from collections.abc import Mapping

from tui.delivery.new_secret import DeliveryFailed, DeliveryFault
from tui.text import plain, short

_FIELDS = ("label", "id", "short_key")
_WORDS = re.compile(r"""(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+""")
"""One word of a command, with its quotation marks."""
_QUOTED = re.compile(r"""\\.|'[^']*'|\{[^{}]*\}""")
_IN_QUOTES = re.compile(r'''"(?:[^"\\]|\\.)*"''')
_SHELL_ANYWHERE = re.compile(r"[$`]")
_SHELL_BARE = re.compile(r"[|&;<>()*?\[]|^[#~]")
"""What a shell would act on, within double quotation marks too, or only outside of all."""


class Word:
    """One argument of the template: fixed text and placeholders in turns."""

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._pieces = list(string.Formatter().parse(text))
        except ValueError:
            raise bad_command(
                f"A brace in {plain(text)} has no partner. Write {{{{ or }}}} for one."
            ) from None
        for _, field, more, conversion in self._pieces:
            if field is not None and (field not in _FIELDS or more or conversion):
                raise _unknown(field)

    def holds(self, *fields: str) -> bool:
        """Return whether one of these placeholders is in it."""
        return any(field in fields for _, field, _, _ in self._pieces)

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the argument; blanks in the values do not split it."""
        return "".join(
            text + (values[field] if field else "") for text, field, _, _ in self._pieces
        )


def parse_template(template: str) -> tuple[Word, ...]:
    """Return the words of a command, or raise `DeliveryFailed` where it cannot be run as meant."""
    if not template.isprintable():
        raise bad_command(f"The command holds a character that nobody can see: {short(template)}.")
    try:
        words = shlex.split(template)
    except ValueError:
        raise bad_command("A quotation mark or backslash in the command has no partner.") from None
    if not words:
        raise bad_command(
            "There is no command yet, such as vault kv put secret/momentum/{label} key=-."
        )
    for word in _WORDS.findall(template)[1:]:
        _refuse_shell(word)
    parsed = tuple(map(Word, words))
    if parsed[0].holds(*_FIELDS):
        raise bad_command("The command must begin with a program, not with a placeholder.")
    return parsed


def _refuse_shell(word: str) -> None:
    """Refuse a word that only a shell would do something with, unless it is quoted from it."""
    unquoted = _QUOTED.sub("", word)
    if _SHELL_ANYWHERE.search(unquoted) or _SHELL_BARE.search(_IN_QUOTES.sub("", unquoted)):
        raise bad_command(
            f"No shell runs the command, so {short(word, 60)} means nothing in it: use a script, "
            "or put it in '…' if it is meant as it is written."
        )


def bad_command(sentence: str) -> DeliveryFailed:
    """Return the failure of a command that has to be written differently."""
    return DeliveryFailed(DeliveryFault.BAD_COMMAND, sentence)


def _unknown(field: str) -> DeliveryFailed:
    known = "{label}, {id} and {short_key}"
    if field == "secret":
        return bad_command(
            "The secret is given on standard input only: as an argument, everybody on this host "
            f"could read it. A command may hold {known}."
        )
    return bad_command(f"Nothing is known as {{{plain(field)}}}. A command may hold {known}.")
