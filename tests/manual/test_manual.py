"""The manual holds what the program does: every key, every grant, every error, every option."""

from __future__ import annotations

import os
import re
from itertools import pairwise
from pathlib import Path

import pytest

import tui.manual
from tests.client.test_problems import EXAMPLES
from tui.api.errors import Redirected, Refused, ServerFailed
from tui.api.grants import MOMENTUM
from tui.cli.arguments import _parser
from tui.cli.profiles import vocabulary
from tui.config.settings import settings
from tui.manual import (
    NAMES,
    NoSuchTopic,
    answered_errors,
    topic,
    topics,
    topics_with,
    with_tables,
)
from tui.manual.layout import Kind, as_text, blocks, lines_of, text_of
from tui.problems import describe
from tui.search.permissions import allowed_by
from tui.ui.bindings import COMMANDS, Place, key_table

FOLDER = Path(tui.manual.__file__).parent
WHOLE = "\n".join(page.text for page in topics())
ERRORS = [
    text_of(block.cells[0][:1]).rstrip(".")
    for block in blocks(topic("errors").text)
    if block.kind is Kind.ITEM
]
"""What the items of the page about errors begin with."""


def settings_table(of: str) -> str | None:
    """Return the table of the configuration's settings, as `key_table` does those of keys."""
    if of != "settings":
        return None
    rows = [
        f"| `{setting.name}` | {setting.meaning} | `{setting.example}` |".replace("||", "|")
        for setting in settings(vocabulary())
    ]
    return "\n".join(["| Setting | What it is | Example |", "|---|---|---|", *rows]) + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_the_tables_are_those_of_the_program(name: str) -> None:
    text = topic(name).text
    renewed = with_tables(text, lambda of: key_table(of) or settings_table(of))
    if os.environ.get("README") == "write":
        (FOLDER / f"{name}.md").write_text(renewed, encoding="utf-8")
        return
    assert text == renewed, "Renew the tables: README=write pytest tests/manual"


def test_every_place_has_its_table() -> None:
    named = re.findall(r"<!-- keys: ([A-Z]+) -->", WHOLE)
    assert sorted(named) == sorted(place.name for place in Place)
    for command in COMMANDS:
        if command.help:
            assert f"| `{command.shown}` | {command.help} |" in WHOLE


def test_every_page_is_in_the_contents() -> None:
    assert sorted(NAMES) == sorted(path.stem for path in FOLDER.glob("*.md"))
    assert topic("LOGIN") == topic("sign-in")
    with pytest.raises(NoSuchTopic) as missing:
        topic("rotat")
    assert missing.value.close in {"rotate", "rotation"}
    with pytest.raises(NoSuchTopic) as missing:
        topic("../errors")


@pytest.mark.parametrize("error", EXAMPLES, ids=repr)
def test_every_error_is_explained(error: Exception) -> None:
    title = describe(error, doing="creating the key").title
    assert any(re.fullmatch(_pattern(known), title) for known in ERRORS), title


STATED = [error for error in EXAMPLES if isinstance(error, Refused | Redirected)]


@pytest.mark.parametrize("error", STATED, ids=repr)
def test_an_error_is_found_by_its_status(error: Refused | Redirected) -> None:
    title = describe(error, doing="creating the key").title
    item = next(
        block.text
        for block in blocks(topic("errors").text)
        if re.fullmatch(_pattern(text_of(block.cells[0][:1]).rstrip(".")), title)
    )
    ranges: dict[type, str] = {ServerFailed: "from 500 on", Refused: "not in this list"}
    others = ranges.get(type(error))
    assert re.search(rf"Status [\w, ]*\b{error.status}\b", item) or (others and others in item)


def _pattern(known: str) -> str:
    """Return the titles that are meant, for upper-case words that stand for what differs."""
    escaped = re.escape(known)
    for word in ("HOST", "PORT", "STATUS", "OWNER"):
        escaped = escaped.replace(word, r"\S+")
    return escaped.replace("The\\ password\\ can", "The\\ .+\\ can")


def test_every_grant_is_explained() -> None:
    text = topic("grants").text
    for grant in MOMENTUM:
        assert grant.label
        row = next(line for line in text.splitlines() if f"`{grant.key}`" in line)
        assert grant.label in row
        for access in allowed_by(grant.key):
            assert f"{', '.join(access.methods)} on {access.path.replace('{id}', 'ID')}" in row


def test_every_option_is_explained() -> None:
    options = re.findall(r"--[a-z-]+", _parser().format_help())
    assert [name for name in dict.fromkeys(options) if f"`{name}" not in WHOLE] == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [38, 80, 100])
def test_a_page_fits_and_nothing_of_it_is_lost(name: str, width: int) -> None:
    page = topic(name)
    assert page.text.startswith(f"# {page.title}\n\n")
    for block in blocks(page.text):
        lines = lines_of(block, width)
        laid_out = " ".join(map(text_of, lines)).replace("• ", "")
        assert sorted("".join(laid_out.split())) == sorted("".join(block.text.split()))
        if block.kind is not Kind.CODE:
            assert max(len(text_of(line)) for line in lines) <= width


def test_code_keeps_its_lines_and_its_blank_lines() -> None:
    text = "# Title\n\nBefore:\n\n```toml\none = 1\n\n[two]\n  three = 3\n```\nAfter it.\n"
    expected = "TITLE\n\n  Before:\n\n    one = 1\n\n    [two]\n      three = 3\n\n  After it.\n"
    assert as_text(text, 80) == expected


@pytest.mark.parametrize("name", NAMES)
def test_code_is_printed_as_it_is_written(name: str) -> None:
    printed = as_text(topic(name).text, 60)
    for code in re.findall(r"^```.*\n([^`]*)^```$", topic(name).text, re.MULTILINE):
        lines = [f"    {line}".rstrip() for line in code.splitlines()]
        assert "\n".join(lines) in printed
    assert "```" not in printed


@pytest.mark.parametrize("width", range(60, 101))
def test_no_grant_is_broken_in_two(width: int) -> None:
    words = as_text(topic("grants").text, width).split()
    assert {grant.key for grant in MOMENTUM} <= {*words}


@pytest.mark.parametrize("name", NAMES)
def test_every_table_is_introduced(name: str) -> None:
    heads = [
        (before.kind, block.text)
        for before, block in pairwise(blocks(topic(name).text))
        if block.kind is Kind.ROW and block.is_first
    ]
    assert [text for kind, text in heads if kind is Kind.ROW] == []


@pytest.mark.parametrize("name", NAMES)
def test_only_what_is_laid_out_is_written(name: str) -> None:
    text = re.sub(r"<!--.*?-->", "", topic(name).text)
    for line in as_text(text, 500).splitlines():
        assert not re.search(r"^\s*(#+|[*>]|\d+\.) |\*\*|^\s*\|", line), line
        assert line.isprintable()


def test_pages_name_each_other_rightly() -> None:
    assert set(re.findall(r"`momentum-keys help ([a-z-]+)`", WHOLE)) <= {*NAMES}


def test_the_errors_with_a_status_are_listed() -> None:
    page = blocks(topic("errors").text)
    sentences = [sentence for _, sentence in answered_errors()]
    assert "You are not permitted to do this (status 403)" in sentences
    assert len(sentences) == topic("errors").text.count("** Status ")
    for number, sentence in answered_errors():
        assert page[number].text.startswith(sentence.partition(" (status")[0])


def test_a_word_names_the_pages_that_hold_it() -> None:
    assert topics_with("Certificates")[0].name == "sign-in"
    assert topics_with("smtp")[0].name == "smtp", "first what has it in the title"
    assert "errors" in [page.name for page in topics_with("403")]
    assert topics_with("certificat") == topics_with("(xyzzy") == topics_with("") == ()
