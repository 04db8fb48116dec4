"""Other keys for commands, as the configuration gives them by the commands' ids."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tui.text import did_you_mean, short
from tui.ui.bindings import COMMANDS, Command, Place, key_name, keys_in
from tui.ui.terminal.textual_internals import name_of_character

NAMED_KEYS = frozenset(
    (
        "enter", "escape", "space", "tab", "backspace", "delete", "insert", "home", "end",
        "pageup", "pagedown", "up", "down", "left", "right", *(f"f{n}" for n in range(1, 21)),
    )
)  # fmt: skip
_KEY = re.compile(r"(?P<modifiers>(?:(?:ctrl|alt|shift)\+)*)(?P<name>.+)", re.DOTALL)
_SENT_AS = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+[": "escape", "ctrl+h": "backspace"}
"""What a terminal sends for keys with ctrl that it has no sequence of their own for."""

_TYPED_IN = frozenset({Place.LOGIN, Place.SEARCH, Place.FORM, Place.PALETTE, Place.ANYWHERE})
"""Places where a letter is typed into a field."""
_APART = frozenset({Place.DIALOG, Place.SEARCH})
"""Places that keep their keys to themselves: what works anywhere comes after them."""

_OF_WIDGETS: Mapping[Place, Mapping[str, str]] = {
    Place.KEYS: {
        **dict.fromkeys(("up", "k", "down", "j"), "moves the cursor"),
        **dict.fromkeys(("home", "g", "end", "G"), "goes to the first or the last key"),
        **dict.fromkeys(("pageup", "pagedown"), "goes a screen up or down"),
        "enter": "opens the key",
    },
}
"""Keys that the widgets of a place bring along."""

COMMANDS_BY_ID: Mapping[str, Command] = {
    command.id: command for command in reversed(COMMANDS) if command.can_be_mapped
}


def wrong_keys(key_map: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with a key map, in sentences by the id of the command."""
    faults = {id_: _wrong_id(id_) or _wrong_names(id_, keys) for id_, keys in key_map.items()}
    understood = {id_: keys for id_, keys in key_map.items() if not faults[id_]}
    faults |= {id_: _clash(id_, understood) for id_ in understood}
    return {id_: f"{short(id_, 40)}: {fault}" for id_, fault in faults.items() if fault}


def _wrong_id(command_id: str) -> str:
    if command_id in COMMANDS_BY_ID:
        return ""
    hint = did_you_mean(command_id, COMMANDS_BY_ID) or "; momentum-keys help keyboard lists them"
    return f"there is no such command{hint}"


def _wrong_names(command_id: str, keys: str) -> str:
    """Return what is wrong with the keys of one command, or nothing."""
    command = COMMANDS_BY_ID[command_id]
    for key in keys_in(keys):
        match = _KEY.fullmatch(key)
        modifiers, name = (match["modifiers"], match["name"]) if match else ("", "")
        is_character = len(name) == 1 and name.isprintable() and name != " "
        if name not in NAMED_KEYS and not is_character:
            return f"{short(key, 20)!r} is no key, such as R, ctrl+r, f6 or space"
        if key in _SENT_AS:
            return f"a terminal sends {key} as {_SENT_AS[key]}"
        if "shift+" in modifiers and is_character:
            return f"{key!r} is no key: write the character that is typed, such as {name.upper()}"
        is_typed = not modifiers and (is_character or name == "space")
        if is_typed and command.place in _TYPED_IN:
            return f"{key!r} would be typed into a field there"
    return ""


def _clash(command_id: str, key_map: Mapping[str, str]) -> str:
    """Return with what the keys of a command clash, or nothing."""
    own = COMMANDS_BY_ID[command_id]
    keys = set(_keys_of(own, key_map))
    for key, words in _OF_WIDGETS.get(own.place, {}).items():
        if key in keys:
            return f"{key_name(key)} {words} there"
    for other in COMMANDS:
        if other.id == own.id or not _may_be_possible_together(own, other):
            continue
        if common := keys.intersection(_keys_of(other, key_map)):
            return f"{key_name(min(common))} is the key of {other.id}, too"
    return ""


def _may_be_possible_together(one: Command, other: Command) -> bool:
    """Tell whether both may be possible at once, so that one key can't do the two of them."""
    if not other.action or one.action.removeprefix("app.") == other.action.removeprefix("app."):
        return False
    if {*one.keys.split(",")} & {*other.keys.split(",")}:
        return False  # they take turns: never both are possible
    if one.place is other.place:
        return True
    places = {one.place, other.place}
    return Place.ANYWHERE in places and not places & _APART


def _keys_of(command: Command, key_map: Mapping[str, str]) -> Iterator[str]:
    """Yield the keys of a command as Textual names them."""
    keys = key_map.get(command.id)
    for key in command.keys.split(",") if keys is None else keys_in(keys):
        *modifiers, name = key.split("+") if len(key) > 1 else [key]
        yield "+".join([*modifiers, name_of_character(name) if len(name) == 1 else name])


def for_textual(key_map: Mapping[str, str]) -> dict[str, str]:
    """Return a key map as Textual takes it: by the ids of all bindings of a command.

    An action of the app is bound in other places, too, and has the same keys there.
    """
    bound: dict[str, str] = {}
    for command_id in key_map:
        own = COMMANDS_BY_ID[command_id]
        keys = ",".join(_keys_of(own, key_map))
        of_app = f"app.{own.action}" if own.place is Place.ANYWHERE else own.action
        for other in COMMANDS:
            if other.id == own.id or (other.action == of_app and of_app.startswith("app.")):
                bound[other.id] = keys
    return bound
