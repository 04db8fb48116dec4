"""Words for syntax errors in TOML, for people who don't know TOML by heart."""

from __future__ import annotations

import re

from tui.config.config_file import ConfigFault, Position
from tui.config.toml_positions import position_of
from tui.text import plain

_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

_NAME = (
    "a name is missing; one of other signs than letters, digits, _ and - stands in quotes, and "
    "a table in { } on one line"
)
_TABLE = "a ] is missing: a table is [NAME]"
_COMPLETE = "this table stands further up, and nothing can be added to it here"
_MULTILINE = "a text that begins with three quotation marks isn't closed"
_BACKSLASH = r"a \ in a text is written \\, or the text stands in '…' instead of " + '"…"'

_SENTENCES = {
    r"Illegal character '\n'": "a quotation mark isn't closed on this line",
    r"Found invalid character '\n'": "a quotation mark isn't closed on this line",
    'Expected "\'"': "a quotation mark isn't closed on this line",
    "Expected \"'''\"": _MULTILINE,
    "Unclosed array": "a list isn't closed: a ] or a comma is missing",
    "Unclosed inline table": "a table isn't closed: a } or a comma is missing",
    "Expected ']' at the end of a table declaration": _TABLE,
    "Expected ']]' at the end of an array declaration": _TABLE,
    "Expected '=' after a key in a key/value pair": "an = is missing: a line is NAME = VALUE, "
    "or [TABLE]",
    "Expected newline or end of document after a statement": "the line should end here: a value "
    "is the last on its line, and a text stands in quotes",
    "Invalid initial character for a key part": _NAME,
    "Invalid statement": _NAME,
    "Cannot overwrite a value": "this name has a value further up",
    "Duplicate inline table key": "this name has a value further up",
    "Cannot declare": "this table stands further up, too",
    "Cannot mutate immutable namespace": _COMPLETE,
    "Cannot redefine namespace": _COMPLETE,
    r"Unescaped '\'": _BACKSLASH,
    "Invalid hex value": _BACKSLASH,
    "Escaped character is not a Unicode scalar value": r"\u names no character",
    "Invalid date or datetime": "there is no such date or time",
    "Exceeds the limit": "a number has too many digits",
}
"""Sentences by how the parser's own begin."""


def toml_fault(text: str, message: str) -> ConfigFault:
    """Return what is wrong with a text that `tomllib` refused with `message`, and where."""
    match = _AT.search(message)
    said = message[: match.start()] if match else message
    if match and match[1]:
        position = Position(int(match[1]), int(match[2]))
    else:
        position = position_of(text, len(text.rstrip("\n")))
    return ConfigFault(position, _sentence(text, position, said))


def _sentence(text: str, position: Position, said: str) -> str:
    if said == "Invalid value":
        rest = text.split("\n")[position.line - 1][position.column - 1 :]
        if not rest or rest[0] in "#,]}":
            return "a value is missing"
        return "this is no value: a text stands in quotes, and true, false and numbers don't"
    if said == "Unterminated string":
        is_multiline = text.endswith("\n") or '"""' in text
        return _MULTILINE if is_multiline else _SENTENCES['Expected "\'"']
    if match := re.match(r"(?:Illegal|Found invalid) character (?!'\\n')(.+)", said):
        return f"the character {plain(match[1])} can't stand in this file"
    return next(
        (ours for begins, ours in _SENTENCES.items() if said.startswith(begins)), plain(said)
    )
