"""Which key a terminal's sequence stands for, by the names that Textual gives to keys."""

from __future__ import annotations

import re

from textual.events import Key

from tui.ui.terminal.textual_internals import name_of_character

_CONTROLS = {
    0x00: "ctrl+@",
    0x08: "backspace",
    0x09: "tab",
    0x0D: "enter",
    0x1B: "escape",
    0x1C: "ctrl+backslash",
    0x1D: "ctrl+right_square_bracket",
    0x1E: "ctrl+circumflex_accent",
    0x1F: "ctrl+underscore",
    0x7F: "backspace",
}
"""The control characters that are not simply ctrl and a letter."""

_LETTERS = {
    "A": "up",
    "B": "down",
    "C": "right",
    "D": "left",
    "F": "end",
    "H": "home",
    "P": "f1",
    "Q": "f2",
    "R": "f3",
    "S": "f4",
}
"""The last bytes of `ESC [ … X` and `ESC O X` that are keys."""

_NUMBERS = {
    1: "home",
    2: "insert",
    3: "delete",
    4: "end",
    5: "pageup",
    6: "pagedown",
    7: "home",
    8: "end",
    **dict(
        zip((11, 12, 13, 14, 15, 17, 18, 19, 20, 21), (f"f{n}" for n in range(1, 11)), strict=True)
    ),
    **dict(zip((23, 24, 25, 26, 28, 29), (f"f{n}" for n in range(11, 17)), strict=True)),
    **dict(zip((31, 32, 33, 34), (f"f{n}" for n in range(17, 21)), strict=True)),
}
"""The numbers of `ESC [ n ~` that are keys."""

_KITTY = {
    9: "tab",
    13: "enter",
    27: "escape",
    127: "backspace",
    57414: "enter",
    **dict(
        zip(
            range(57417, 57427),
            (
                "left",
                "right",
                "up",
                "down",
                "pageup",
                "pagedown",
                "home",
                "end",
                "insert",
                "delete",
            ),
            strict=True,
        )
    ),
    **{57376 + n: f"f{13 + n}" for n in range(12)},
}
"""The key codes of kitty's protocol that are keys without a character of their own."""

_KEYPAD = dict(zip(range(57399, 57417), "0123456789./*-+\r=,", strict=True))
"""The key codes of kitty's protocol for the keypad's characters."""

_APPLICATION_KEYPAD = dict(zip("MjklmnopqrstuvwxyX", "\r*+,-./0123456789=", strict=True))
"""What `ESC O x` types on a keypad in application mode."""

_RXVT = {"^": 4, "$": 1, "@": 5}
"""The modifiers that rxvt tells by the last byte of `ESC [ n x`."""

_SHIFT, _ALT, _CTRL, _CAPS_LOCK = 1, 2, 4, 64
_MODIFIERS = {_ALT: "alt", _CTRL: "ctrl", 16: "hyper", 32: "meta", _SHIFT: "shift", 8: "super"}
"""In the order in which Textual names them; the locks change no key's name."""

_CHARACTERS = {"enter": "\r", "tab": "\t", "backspace": "\x7f", "escape": "\x1b"}
_RELEASE = 3
_PRIVATE_USE = range(0xE000, 0xF900)

_MODIFIED = re.compile(r"(?P<modifiers>\d{1,3})(?::(?P<event>[123]))?")
_LETTER_PARAMETERS = re.compile(rf"(?:1?(?:;{_MODIFIED.pattern})?)?")
_NUMBER_PARAMETERS = re.compile(rf"(?P<code>\d{{1,2}})(?:;{_MODIFIED.pattern})?")
_KITTY_PARAMETERS = re.compile(
    r"(?P<code>\d{1,7})(?::(?P<shifted>\d{0,7})(?::\d{0,7})?)?"
    rf"(?:;(?:{_MODIFIED.pattern})?(?:;(?P<text>[\d:]{{0,64}}))?)?"
)
_OTHER_KEYS_PARAMETERS = re.compile(r"27;(?P<modifiers>\d{1,3});(?P<code>\d{1,7})")


def key_of_control(code: int) -> Key:
    """Return the key that sends one of the characters below Space, or DEL."""
    name = _CONTROLS.get(code) or f"ctrl+{chr(code + 0x60)}"
    return Key(name, chr(code))


def key_of_character(character: str) -> Key | None:
    """Return the key that types a character, or None for one that can't be seen."""
    if not character.isprintable():
        return None
    return Key(name_of_character(character), character)


def key_with_alt(character: str) -> Key | None:
    """Return the key whose character came right behind an ESC; it types nothing."""
    is_control = character < " " or character == "\x7f"
    key = key_of_control(ord(character)) if is_control else key_of_character(character)
    return key and Key(f"alt+{key.key}", None)


def keys_of_csi(parameters: str, final: str) -> list[Key]:
    """Return the keys that `ESC [ parameters final` stands for; none where it is no key."""
    if final == "u":
        return _kitty_keys(_KITTY_PARAMETERS.fullmatch(parameters))
    if final == "Z" and not parameters:
        return [Key("shift+tab", None)]
    if final in _LETTERS:
        match = _LETTER_PARAMETERS.fullmatch(parameters)
        # With parameters, R is the answer to where the cursor is.
        return (
            _named_key(_LETTERS[final], match) if match and (final != "R" or not parameters) else []
        )
    if final in "abcd" and not parameters:  # rxvt's arrows with shift
        return [Key(f"shift+{_LETTERS[final.upper()]}", None)]
    if final == "~":
        if match := _OTHER_KEYS_PARAMETERS.fullmatch(parameters):
            return _kitty_keys(match)
        match = _NUMBER_PARAMETERS.fullmatch(parameters)
        name = _NUMBERS.get(int(match["code"])) if match else None
        return _named_key(name, match) if name else []
    if final in _RXVT and parameters.isdecimal() and (name := _NUMBERS.get(int(parameters[:3]))):
        return [Key(_with_modifiers(name, _RXVT[final]), None)]
    return []


def keys_of_ss3(parameters: str, final: str) -> list[Key]:
    """Return the keys that `ESC O final` stands for; none where it is no key."""
    if final in _LETTERS:
        return keys_of_csi(f"1;{parameters}" if parameters.isdecimal() else parameters, final)
    if parameters:
        return []
    if final in "abcd":  # rxvt's arrows with ctrl
        return [Key(f"ctrl+{_LETTERS[final.upper()]}", None)]
    character = _APPLICATION_KEYPAD.get(final, "")
    if character == "\r":
        return [key_of_control(ord(character))]
    key = key_of_character(character) if character else None
    return [key] if key else []


def key_of_console(final: str) -> Key | None:
    """Return the function key that the Linux console sends as `ESC [ [ final`."""
    return Key(f"f{ord(final) - ord('A') + 1}", None) if "A" <= final <= "E" else None


def _named_key(name: str, match: re.Match[str] | None) -> list[Key]:
    modifiers = _modifiers(match)
    return [] if modifiers is None else [Key(_with_modifiers(name, modifiers), None)]


def _kitty_keys(match: re.Match[str] | None) -> list[Key]:
    """Return the keys of one report in kitty's protocol, or in xterm's modifyOtherKeys."""
    modifiers = _modifiers(match)
    if match is None or modifiers is None:
        return []
    code, groups = int(match["code"]), match.groupdict()
    if text := [int(part) for part in (groups.get("text") or "").split(":") if part]:
        return [key for number in text if (key := _key_of_code(number)) is not None]
    if name := _KITTY.get(code):
        held = modifiers & ~_CAPS_LOCK
        return [Key(_with_modifiers(name, held), None if held else _CHARACTERS.get(name))]
    character = _KEYPAD.get(code) or _character(code)
    if character is None:
        return []
    if modifiers & ~(_SHIFT | _CAPS_LOCK):
        held = modifiers if character.isalpha() or character == " " else modifiers & ~_SHIFT
        return [Key(_with_modifiers(name_of_character(character), held), None)]
    if modifiers & _SHIFT and groups.get("shifted"):
        character = _character(int(groups["shifted"] or 0)) or character
    elif len(character.upper()) == 1 and bool(modifiers & _SHIFT) != bool(modifiers & _CAPS_LOCK):
        character = character.upper()
    key = key_of_character(character)
    return [key] if key else []


def _modifiers(match: re.Match[str] | None) -> int | None:
    """Return the bits of the modifiers, without num lock; None where no key was pressed."""
    if match is None:
        return None
    groups = match.groupdict()
    if int(groups.get("event") or 1) == _RELEASE:
        return None
    reported = int(groups.get("modifiers") or 1)
    return (reported - 1) & 0x7F if 1 <= reported <= 256 else None


def _with_modifiers(name: str, modifiers: int) -> str:
    held = [word for bit, word in _MODIFIERS.items() if modifiers & bit]
    return "+".join([*held, name])


def _key_of_code(code: int) -> Key | None:
    character = _character(code)
    return key_of_character(character) if character else None


def _character(code: int) -> str | None:
    """Return the character of a code point; None where there is none that a key could type."""
    if code > 0x10FFFF or code in _PRIVATE_USE or not chr(code).isprintable():
        return None
    return chr(code)
