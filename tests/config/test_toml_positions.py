"""Places in TOML are those of what tomllib reads."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.config.config_file import Position
from tui.config.toml_positions import TomlPath, TomlPositions

TEXT = '''# a comment with [brackets] and key = 1
theme = "li\\"ght" # another
"odd key" . 'x' = [ "a", # one
  """b
  ]""", { in = 2, "line" = 3 } ]

[servers.prod]
url = "https://x"   # ]
  lock_after=1.5
[servers."my prod".deliver]
vault = \'\'\'it's
here\'\'\'
when = 1979-05-27 07:32:00
[[servers.list]]
a = true
[[servers.list]]
a.b = false
'''


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("theme",), (2, 1), (2, 9)),
        (("odd key", "x"), (3, 13), (3, 19)),
        (("odd key", "x", 0), (3, 13), (3, 21)),
        (("odd key", "x", 1), (3, 13), (4, 3)),
        (("odd key", "x", 2, "line"), (5, 19), (5, 28)),
        (("servers", "prod"), (7, 10), (7, 10)),
        (("servers", "prod", "url"), (8, 1), (8, 7)),
        (("servers", "prod", "lock_after"), (9, 3), (9, 14)),
        (("servers", "my prod"), (10, 10), (10, 10)),
        (("servers", "my prod", "deliver", "vault"), (11, 1), (11, 9)),
        (("servers", "my prod", "deliver", "when"), (13, 1), (13, 8)),
        (("servers", "list", 0, "a"), (15, 1), (15, 5)),
        (("servers", "list", 1, "a", "b"), (17, 3), (17, 7)),
        (("servers", "prod", "user"), (7, 10), (7, 10)),
        (("nowhere",), (1, 1), (1, 1)),
    ],
)
def test_keys_and_values_have_places(
    path: TomlPath, key: tuple[int, int], value: tuple[int, int]
) -> None:
    positions = TomlPositions(TEXT)
    assert positions.of_key(path) == Position(*key)
    assert positions.of_value(path) == Position(*value)


NAMES = st.text("abc_-9", min_size=1, max_size=4)
KEYS = st.one_of(NAMES, NAMES.map(lambda name: f'"{name} ."'), NAMES.map(lambda n: f"'{n}#'"))
TEXTS = st.sampled_from(
    ['"x"', '""', "''", '"\\""', "'''a\n'b'''", '"""\n""q"""""', '"a # b"', "1", "-2.5", "true"]
)
BLANKS = st.sampled_from(["", " ", "\n", " # [x] {y} = 'z'\n", "\t"])
VALUES = st.recursive(
    TEXTS,
    lambda inner: st.lists(st.tuples(BLANKS, inner, BLANKS), max_size=3).map(
        lambda parts: f"[{','.join(map(''.join, parts))}]"
    ),
    max_leaves=6,
)


@given(st.lists(st.tuples(st.sampled_from(["", "[{}]\n", "[a.{}]\n"]), KEYS, KEYS, VALUES)))
def test_whatever_tomllib_reads_has_places(lines: list[tuple[str, str, str, str]]) -> None:
    text = "".join(f"{header.format(name)}{key} = {value}\n" for header, name, key, value in lines)
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # keys that come twice
    positions = TomlPositions(text)

    def check(path: TomlPath, value: object) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                check((*path, name), inner)
            return
        line, column = positions.of_value(path)
        rest = "\n".join(text.split("\n")[line - 1 :])[column - 1 :]
        while rest:  # what begins there is the value
            try:
                assert tomllib.loads(f"x = {rest}")["x"] == value
            except tomllib.TOMLDecodeError:
                rest = rest[:-1]
            else:
                return
        raise AssertionError(path)

    check((), tree)
