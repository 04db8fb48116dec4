"""A file that is no TOML is told in plain words, with the position."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.config.config_file import BadConfig
from tui.config.read_config import read_config
from tui.config.settings import Vocabulary

NO_TOML = [
    (b'[servers.a]\nurl = "https://x\n', ["2:17: a quotation mark isn't closed on this line"]),
    (b"theme = 'light\n", ["1:15: a quotation mark isn't closed on this line"]),
    (b'theme = "light', ["1:15: a quotation mark isn't closed on this line"]),
    (b"theme = 'light", ["1:15: a quotation mark isn't closed on this line"]),
    (b'theme = """light\n', ["1:17: a text that begins with three quotation marks isn't closed"]),
    (b"theme = '''light\n", ["1:17: a text that begins with three quotation marks isn't"]),
    (b"theme =\n", ["1:8: a value is missing"]),
    (b"theme = # dark\n", ["1:9: a value is missing"]),
    (b"theme light\n", ["1:7: an = is missing: a line is NAME = VALUE, or [TABLE]"]),
    (b"theme: 'light'\n", ["1:6: an = is missing"]),
    (b"lock_after = 15 minutes\n", ["1:17: the line should end here"]),
    (b"a = ['x', 'y'\nb = 1\n", ["2:1: a list isn't closed: a ] or a comma is missing"]),
    (b"a = ['x' 'y']\n", ["1:10: a list isn't closed: a ] or a comma is missing"]),
    (b"a = { x = 1\n", ["1:12: a table isn't closed: a } or a comma is missing"]),
    (b"a = {\n x = 1 }\n", ["1:6: a name is missing", "a table in { } on one line"]),
    (b"= 1\n", ["1:1: a name is missing"]),
    (b"[servers.a\n", ["1:11: a ] is missing: a table is [NAME]"]),
    (b"[[servers.a]\n", ["1:12: a ] is missing: a table is [NAME]"]),
    (b"ascii = 1\nascii = 2\n", ["2:10: this name has a value further up"]),
    (b"a = { x = 1, x = 2 }\n", ["1:19: this name has a value further up"]),
    (b"[servers.a]\n[servers.a]\n", ["2:11: this table stands further up, too"]),
    (b"a = { x = 1 }\n[a.b]\n", ["2:5: this table stands further up, too"]),
    (b'a = "C:\\keys"\n', ["1:10: a \\ in a text is written \\\\, or the text stands in"]),
    (b'a = "C:\\users"\n', ["a \\ in a text is written \\\\, or the text stands in"]),
    (b'a = "\\uD800"\n', ["\\u names no character"]),
    (
        b"a = { x = { y = 1 }, x.z = 2 }\n",
        ["nothing can be added to it here"],
    ),
    (b"a = 2026-02-30\n", ["1:5: there is no such date or time"]),
    (b"a = 'x\x01'\n", ["1:7: the character '\\x01' can't stand in this file"]),
    (b"a = " + b"9" * 5000, ["a number has too many digits"]),
]


@pytest.mark.parametrize(("content", "messages"), NO_TOML)
def test_what_is_wrong_is_told_in_plain_words(
    tmp_path: Path, content: bytes, messages: list[str]
) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(content)
    with pytest.raises(BadConfig) as raised:
        read_config(file, Vocabulary(("light",), (), lambda keys: {}))
    [line] = raised.value.lines
    for message in messages:
        assert message in line
