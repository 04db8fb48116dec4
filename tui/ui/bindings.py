"""Every key that is bound to an action, and its words: footer, help and README follow them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Protocol, runtime_checkable

from textual.binding import Binding
from textual.keys import key_to_character


class Place(Enum):
    """Where a key works, as the help names it."""

    ANYWHERE = "Anywhere"
    WELCOME = "Welcome"
    SERVERS = "Servers"
    LOGIN = "Signing in"
    KEYS = "API keys"
    SEARCH = "Search"
    DETAIL = "Details of a key"
    ROTATE = "Rotate a key"
    RUN = "Many keys"
    FORM = "Create and edit"
    GRANTS = "Choosing grants"
    SECRET = "A new key's secret"  # noqa: S105  # a heading
    JOURNAL = "Journal"
    PALETTE = "Palette"
    HELP = "Help"
    MANUAL = "Manual"
    DIALOG = "Dialogs"


@runtime_checkable
class HasPlace(Protocol):
    """A screen, or a part of one, whose keys stand in the table of commands.

    A dialog's are the same everywhere.
    """

    PLACE: ClassVar[Place]


@runtime_checkable
class HasKeyMap(Protocol):
    """An app whose configuration may give commands other keys, by their ids."""

    key_map: Mapping[str, str]


@runtime_checkable
class HasPlainSigns(Protocol):
    """An app that may draw its signs in ASCII."""

    has_plain_signs: bool


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to do: the keys that do it, its action, and its words.

    `footer` is its word in the footer; without one it isn't shown there. A command without an
    action is only described here, because a widget brings it along; one without `help` belongs
    to the command above it, and has a `title` where the palette offers it by itself.
    One that `changes_keys` isn't there where a server is configured as read-only.
    """

    place: Place
    keys: str
    shown: str
    action: str
    help: str
    footer: str = ""
    priority: bool = False
    title: str = ""
    changes_keys: bool = False

    @property
    def id(self) -> str:
        """The stable id of the binding, by which it can be given other keys."""
        action, _, rest = self.action.removeprefix("app.").partition("(")
        return f"{self.place.name.lower()}.{action}{'.' + rest.strip(')') if rest else ''}"

    @property
    def can_be_mapped(self) -> bool:
        """Whether the configuration can give it other keys."""
        return bool(self.action and self.keys and (self.help or self.title))

    def binding(self) -> Binding:
        """Return the command as Textual binds it."""
        return Binding(
            self.keys,
            self.action,
            self.footer or self.help,
            show=bool(self.footer),
            key_display=self.shown.partition(",")[0],
            priority=self.priority,
            id=self.id,
        )


_ANY, _LOGIN, _KEYS = Place.ANYWHERE, Place.LOGIN, Place.KEYS
_SEARCH = Place.SEARCH
_DETAIL, _FORM, _ROTATE, _RUN = Place.DETAIL, Place.FORM, Place.ROTATE, Place.RUN
_SECRET, _DIALOG, _GRANTS = Place.SECRET, Place.DIALOG, Place.GRANTS
_HELP, _MANUAL = Place.HELP, Place.MANUAL

COMMANDS = (
    Command(_ANY, "f1", "F1, ?", "help", "show all keys", "Help", priority=True),
    Command(_ANY, "question_mark", "?", "app.help", ""),
    Command(
        _ANY,
        "ctrl+p",
        "ctrl+p",
        "palette",
        "open the palette: find a command, a key, a request or a theme by typing",
        priority=True,
    ),
    Command(_ANY, "f2", "F2", "manual", "open the manual", priority=True),
    Command(
        _ANY,
        "ctrl+q",
        "ctrl+q, ctrl+c",
        "leave",
        "sign out and leave; asks before anything is lost",
        priority=True,
    ),
    Command(_ANY, "ctrl+c", "ctrl+c", "app.leave", "", priority=True),
    Command(_ANY, "ctrl+l", "ctrl+l", "redraw", "redraw the screen", priority=True),
    Command(_ANY, "", "Tab, shift+Tab", "", "go to the next or the previous field"),
    Command(_ANY, "", "↑ ↓, PgUp PgDn", "", "scroll what does not fit"),
    *(
        Command(place, key, key, f"app.scroll({lines}, {pages})", "")
        for place in (_ANY, _DIALOG)  # a dialog sees nothing of what works anywhere
        for key, lines, pages in (
            ("up", -1, 0),
            ("down", 1, 0),
            ("pageup", 0, -1),
            ("pagedown", 0, 1),
        )
    ),
    Command(Place.WELCOME, "ctrl+s", "Enter", "go_on", "go on with the server", "Go on"),
    Command(
        Place.SERVERS,
        "enter",
        "Enter",
        "choose",
        "go on with the server",
        "Choose",
        priority=True,  # the list has it, too, and shows it nowhere
    ),
    Command(Place.SERVERS, "escape", "Esc", "close", "go back", "Back"),
    Command(_LOGIN, "ctrl+s", "Enter", "sign_in", "sign in", "Sign in"),
    Command(
        _LOGIN, "ctrl+t", "ctrl+t", "use_token", "sign in with an access token", "Access token"
    ),
    Command(_LOGIN, "ctrl+o", "ctrl+o", "details", "show the details of the error", "Details"),
    Command(_LOGIN, "ctrl+n", "ctrl+n", "app.switch_server", "choose another server", "Servers"),
    Command(_LOGIN, "escape", "Esc", "cancel", "stop signing in", "Cancel"),
    Command(_LOGIN, "ctrl+q", "ctrl+q", "app.leave", "", "Quit", priority=True),
    Command(_KEYS, "n", "n", "new", "create a new API key", "New", changes_keys=True),
    Command(
        _KEYS,
        "N",
        "N",
        "new_like",
        "create a key with the grants and allowed IPs of this one",
        changes_keys=True,
    ),
    Command(_KEYS, "e", "e", "edit", "edit the key", "Edit", changes_keys=True),
    Command(
        _KEYS,
        "r",
        "r",
        "rotate",
        "rotate the key: create a successor, then delete this key",
        "Rotate",
        changes_keys=True,
    ),
    Command(
        _KEYS,
        "f",
        "f",
        "finish",
        "finish a rotation: delete the predecessor",
        "Finish",
        changes_keys=True,
    ),
    Command(_KEYS, "v", "v", "verify", "verify the key with its secret", "Verify"),
    Command(_KEYS, "d,delete", "d, Del", "delete", "delete the key", "Delete", changes_keys=True),
    Command(_KEYS, "slash", "/", "find", "search the keys", "Find"),
    Command(_KEYS, "ctrl+o", "ctrl+o", "details", "show the details of the error", "Details"),
    Command(_KEYS, "J", "J", "journal", "show the journal of what you did", "Journal"),
    Command(_KEYS, "", "Enter", "", "edit the key; on a narrow screen its details first"),
    Command(
        _KEYS,
        "exclamation_mark",
        "!",
        "next_group",
        "show only the keys of the first count above the list; again: of the next, then all",
        "Only",
    ),
    Command(
        _KEYS,
        "space",
        "Space",
        "mark",
        "mark the key; rotate, verify, finish, pause and delete then apply to all marked keys",
        "Mark",
    ),
    Command(
        _KEYS,
        "z",
        "z",
        "pause",
        "pause the key: the server refuses it until it is resumed",
        "Pause",
        changes_keys=True,
    ),
    Command(_KEYS, "shift+down", "shift+↑ ↓", "stretch(1)", "mark a range"),
    Command(_KEYS, "shift+up", "shift+↑", "stretch(-1)", ""),
    Command(_KEYS, "a", "a", "mark_all", "mark all, or none"),
    Command(_KEYS, "y", "y", "copy", "copy label, short key or id of the key"),
    Command(_KEYS, "equals_sign", "=", "compare", "compare the grants of the marked keys"),
    Command(_KEYS, "f5,ctrl+r", "F5, ctrl+r", "reload", "read the keys again", "Reload"),
    Command(
        _KEYS,
        "1",
        "1 … 7",
        "sort(0)",
        "sort by a column; again: in reverse",
        title="sort by label",
    ),
    *(
        Command(_KEYS, str(n), str(n), f"sort({n - 1})", "", title=f"sort by {column}")
        for n, column in enumerate(
            ("permissions", "addresses", "age", "short key", "owner", "subaccount"), start=2
        )
    ),
    Command(_KEYS, "", "↑ ↓, j k", "", "go to the next or the previous key"),
    Command(_KEYS, "", "Home End, g G", "", "go to the first or the last key"),
    Command(_KEYS, "", "PgUp PgDn", "", "go a screen up or down"),
    Command(_KEYS, "x", "x", "close_message", "close the newest message"),
    Command(
        _KEYS,
        "escape",
        "Esc",
        "back",
        "stop loading; otherwise end the search, show all, unmark all, close the newest message",
    ),
    Command(
        _KEYS, "ctrl+n", "ctrl+n", "app.switch_server", "sign out, then sign in to another server"
    ),
    Command(_KEYS, "S", "S", "sign_out", "sign out", "Sign out"),
    Command(_KEYS, "q", "q", "leave", "sign out and leave", "Quit"),
    Command(_SEARCH, "", "mail relay", "", "either word, also as part of a longer word"),
    Command(_SEARCH, "", '"mail relay"', "", "the phrase"),
    Command(_SEARCH, "", "a AND b", "", "both words; OR, NOT and ( ) work, too"),
    Command(_SEARCH, "", "+a -b", "", "a is required, b is excluded"),
    Command(_SEARCH, "", "rot* t?st", "", "whole words: * any characters, ? one of them"),
    Command(_SEARCH, "", "mailr~", "", "words of similar spelling"),
    Command(_SEARCH, "", "\\*", "", "the character itself: + - ! ( ) { } [ ] ^ ~ * ? : and more"),
    Command(
        _SEARCH,
        "",
        "may GET /path",
        "",
        "in the list of keys: those whose grants allow the request",
    ),
    Command(
        _SEARCH,
        "enter",
        "Enter",
        "submit",
        "go to the matches, and keep the search",
        "To the list",
        priority=True,
    ),
    Command(_SEARCH, "tab", "Tab, →", "complete", "complete the method or path of a request"),
    Command(_SEARCH, "escape", "Esc", "clear", "end the search", "End search"),
    Command(_SEARCH, "up", "↑ ↓, PgUp PgDn", "up", "move the cursor in the list while typing"),
    *(
        Command(_SEARCH, key, key, action, "")
        for key, action in (("down", "down"), ("pageup", "page_up"), ("pagedown", "page_down"))
    ),
    Command(_DETAIL, "e,enter", "Enter, e", "edit", "edit the key", "Edit", changes_keys=True),
    Command(_DETAIL, "r", "r", "rotate", "rotate the key", "Rotate", changes_keys=True),
    Command(
        _DETAIL,
        "f",
        "f",
        "finish",
        "finish a rotation: delete the predecessor",
        "Finish",
        changes_keys=True,
    ),
    Command(_DETAIL, "v", "v", "verify", "verify the key with its secret", "Verify"),
    Command(_DETAIL, "z", "z", "pause", "pause the key, or resume it", "Pause", changes_keys=True),
    Command(_DETAIL, "d,delete", "d, Del", "delete", "delete the key", "Delete", changes_keys=True),
    Command(_DETAIL, "y", "y", "copy", "copy label, short key or id of the key"),
    Command(_DETAIL, "escape,q", "Esc, q", "close", "go back to the list", "Back"),
    Command(_ROTATE, "ctrl+s", "Enter", "create", "create the successor", "Create"),
    Command(_ROTATE, "enter", "Enter", "create", ""),
    Command(
        _ROTATE,
        "enter",
        "Enter",
        "back",
        "go back to the list when the rotation is done",
        "To the list",
    ),
    Command(
        _ROTATE,
        "ctrl+e",
        "ctrl+e",
        "change",
        "change the successor's label, grants and allowed IPs",
        "Change",
        priority=True,
    ),
    Command(_ROTATE, "s", "s", "stored", "confirm that the secret is stored", "Stored"),
    Command(_ROTATE, "v", "v", "verify", "verify the successor", "Verify"),
    Command(_ROTATE, "d", "d", "finish", "delete the predecessor", "Delete predecessor"),
    Command(_ROTATE, "z", "z", "pause", "pause the predecessor, or resume it", "Pause"),
    Command(_ROTATE, "z", "z", "resume", "", "Resume"),
    Command(_ROTATE, "l", "l", "later", "keep both keys for now", "Later"),
    Command(_ROTATE, "u", "u", "undo", "delete the successor, keep the predecessor", "Undo"),
    Command(_ROTATE, "r", "r", "replace", "replace a successor whose secret is lost", "Replace"),
    Command(_ROTATE, "f5", "F5", "look", "check the outcome of the last step", "Look again"),
    Command(
        _ROTATE,
        "escape,q",
        "Esc, q",
        "close",
        "leave; an unfinished rotation keeps both keys",
        "Close",
    ),
    Command(_ROTATE, "c", "c", "clipboard", "send the secret to the clipboard"),
    Command(_ROTATE, "w", "w", "write", "write the secret to a new file"),
    Command(_ROTATE, "p", "p", "plain", "show the secret as plain text"),
    Command(_ROTATE, "x", "x", "command", "hand the secret to a command on its standard input"),
    Command(_RUN, "ctrl+s", "Enter", "start", "begin", "Begin"),
    Command(_RUN, "ctrl+s", "ctrl+s", "start_now", "", "Begin"),
    Command(_RUN, "r", "r", "retry", "retry the failed keys", "Retry"),
    Command(_RUN, "d", "d", "finish", "delete the predecessors", "Delete predecessors"),
    Command(_RUN, "l", "l", "later", "keep all keys for now", "Later"),
    Command(
        _RUN, "p", "p", "pause", "pause the run after the keys under way, or continue it", "Pause"
    ),
    Command(_RUN, "p", "p", "go_on", "", "Go on"),
    Command(_RUN, "x", "x", "stop_command", "stop a command that hangs", "Stop command"),
    Command(_RUN, "", "Enter", "", "on a key: show its whole result"),
    Command(
        _RUN,
        "escape,q",
        "Esc, q",
        "stop",
        "stop the run after the keys under way; otherwise leave",
        "Stop",
    ),
    Command(_RUN, "escape,q", "Esc", "close", "", "Close"),
    Command(_FORM, "ctrl+s", "Enter, ctrl+s", "save", "create or update the key", "Save"),
    Command(_FORM, "ctrl+o", "ctrl+o", "details", "show the details of the error", "Details"),
    Command(
        _FORM, "escape", "Esc", "cancel", "go back; asks first if something was typed", "Cancel"
    ),
    Command(_GRANTS, "space", "Space", "give", "select or clear the grant at the cursor", "Select"),
    Command(_GRANTS, "r", "r", "give_reading", "select the grants that only read", "Read"),
    Command(_GRANTS, "s", "s", "give_sending", "select the grants that send mail", "Send"),
    Command(_GRANTS, "a", "a", "give_all", "select all grants shown, or none", "All"),
    Command(_GRANTS, "equals_sign", "=", "same_as", "select the grants of another key", "Like"),
    Command(_GRANTS, "slash", "/", "find", "search the grants", "Find"),
    Command(_GRANTS, "enter", "Enter", "submit", ""),
    Command(_GRANTS, "escape", "Esc", "end_search", "show all grants again", "All"),
    Command(_GRANTS, "up", "↑ ↓ ← →", "cursor_up", "go to another grant; also h j k l"),
    *(
        Command(_GRANTS, keys, keys, action, "")
        for keys, action in (
            ("k", "cursor_up"),
            ("down,j", "cursor_down"),
            ("left,h", "beside(-1)"),
            ("right,l", "beside(1)"),
            ("home", "first"),
            ("end", "last"),
            ("pageup", "page_up"),
            ("pagedown", "page_down"),
        )
    ),
    Command(_SECRET, "c", "c", "clipboard", "send it to the clipboard"),
    Command(_SECRET, "w", "w", "write", "write it to a new file that only you can read"),
    Command(_SECRET, "p", "p", "plain", "show it as plain text, to select it with the mouse"),
    Command(_SECRET, "x", "x", "command", "hand it to a command on its standard input"),
    Command(_SECRET, "v", "v", "verify", "verify the key"),
    Command(_SECRET, "s", "s", "stored", "confirm that it is stored"),
    Command(_SECRET, "", "↑ ↓, Enter", "", "select one of these, and run it"),
    Command(_SECRET, "escape,q", "Esc, q", "close", "leave; asks whether it is stored", "Leave"),
    Command(Place.JOURNAL, "slash", "/", "find", "search the journal", "Find"),
    Command(Place.JOURNAL, "", "Enter", "", "go to the entries; on an entry: show it whole"),
    Command(Place.JOURNAL, "", "↑ ↓, PgUp PgDn", "", "go through the entries"),
    Command(
        Place.JOURNAL,
        "escape",
        "Esc",
        "close",
        "end the search; otherwise go back to the list",
        "Back",
    ),
    Command(Place.PALETTE, "", "Enter", "", "run what the cursor is on"),
    Command(Place.PALETTE, "", "↑ ↓, PgUp PgDn", "", "go through what matches"),
    Command(Place.PALETTE, "escape", "Esc", "close", "close without doing anything"),
    Command(_HELP, "", "Enter", "", "run the command, if it is available now"),
    Command(_HELP, "slash", "/", "find", "search the keys", "Find"),
    Command(_HELP, "f2", "F2", "manual", "open the manual", "Manual"),
    Command(_HELP, "escape,q", "Esc, q", "close", "go back", "Close"),
    Command(_MANUAL, "", "↑ ↓, PgUp PgDn", "", "scroll, or choose a page in the contents"),
    Command(
        _MANUAL,
        "tab",
        "Tab, Enter",
        "switch",
        "go to the page, or back to the contents",
        "To the page",
    ),
    Command(_MANUAL, "slash", "/", "find", "search all pages", "Find"),
    Command(
        _MANUAL,
        "n",
        "n, N",
        "next_match(1)",
        "go to the next or the previous match on any page",
        "Next match",
    ),
    Command(_MANUAL, "N", "N", "next_match(-1)", "", "Previous"),
    Command(
        _MANUAL,
        "escape,q",
        "Esc, q",
        "close",
        "end the search; otherwise leave the manual",
        "Close",
    ),
    Command(_DIALOG, "", "y, n", "", "answer yes or no"),
    Command(
        _DIALOG,
        "",
        "a letter",
        "",
        "press the button with this letter underlined; on a red button: only focus it",
    ),
    Command(_DIALOG, "escape", "Esc", "dismiss_dialog", "close without doing anything", "Cancel"),
    Command(_DIALOG, "escape", "Esc", "close_dialog", "", "Close"),
    Command(
        _ANY,
        "ctrl+down,alt+down",
        "ctrl+↑ ↓",
        "scroll_facts(1)",
        "scroll the pane at the right; alt+↑ ↓, too",
        "Facts",
    ),
    Command(_ANY, "ctrl+up,alt+up", "ctrl+↑", "app.scroll_facts(-1)", ""),
)


CURSOR_BINDINGS = (
    Binding("up,k", "cursor_up", "Previous key", show=False, id="keys.up"),
    Binding("down,j", "cursor_down", "Next key", show=False, id="keys.down"),
    Binding("home,g", "first", "First key", show=False, id="keys.first"),
    Binding("end,G", "last", "Last key", show=False, id="keys.last"),
    Binding("pageup", "page_up", "A screen up", show=False, id="keys.page_up"),
    Binding("pagedown", "page_down", "A screen down", show=False, id="keys.page_down"),
    Binding("enter", "open", "Open", show=False, key_display="Enter", id="keys.open"),
)
"""The keys of the table of keys; COMMANDS describes them in rows without an action."""

RUN_BINDINGS = (Binding("enter", "open", "Show all", key_display="Enter", id="run.open"),)
"""The key of the table of a run, on top of those."""

JOURNAL_BINDINGS = (Binding("enter", "select", "Show all", key_display="Enter", id="journal.open"),)
"""The key of the journal's list."""


_NAMES = {
    "escape": "Esc",
    "delete": "Del",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "slash": "/",
}


_ARROWS_IN_WORDS = str.maketrans({"↑": "Up", "↓": "Down", "←": "Left", "→": "Right"})


def key_name(key: str) -> str:
    """Return a key as a person reads it: `ctrl+s`, `shift+↓`, `Esc`, `F5`, `?`."""
    *modifiers, key = key.split("+")
    sign = key_to_character(key) if "_" in key else None
    name = _NAMES.get(key) or sign or (key if len(key) == 1 else key.capitalize())
    return "+".join([*modifiers, name])


def drawn_keys(keys: str, app: object) -> str:
    """Return keys with their arrows in words where `app` would draw those as letters: `v` is one.

    The words take more cells.
    """
    has_plain_signs = isinstance(app, HasPlainSigns) and app.has_plain_signs
    return keys.translate(_ARROWS_IN_WORDS) if has_plain_signs else keys


def changing_actions(place: Place) -> frozenset[str]:
    """Return the actions of a place that lead to a change of a key."""
    return frozenset(c.action for c in COMMANDS if c.place is place and c.changes_keys)


def bindings_for(place: Place) -> list[Binding]:
    """Return what Textual binds in one place."""
    return [c.binding() for c in COMMANDS if c.place is place and c.action]


_RANKS = {
    command.id if command.action else f"{command.place.name.lower()}.{command.shown}": rank
    for rank, command in reversed(list(enumerate(COMMANDS)))
}


def footer_rank(binding: Binding) -> int:
    """Return how early the footer names a binding: in the order of the table, others last.

    A widget's own binding is found by its place and the key that is shown for it.
    """
    place = (binding.id or "").partition(".")[0]
    by_key = _RANKS.get(f"{place}.{binding.key_display}", len(COMMANDS))
    return _RANKS.get(binding.id or "", by_key)


def shown_keys(command: Command, key_map: Mapping[str, str]) -> str:
    """Return the keys of a command as a person reads them, where `key_map` gives it others."""
    keys = key_map.get(command.id)
    return command.shown if keys is None else ", ".join(map(key_name, keys_in(keys)))


_BY_ID = {command.id: command for command in reversed(COMMANDS)}
_NAMED_COMMAND = re.compile(r"\{([a-z]+\.[a-z_]+)\}")


def with_keys(text: str, app: object) -> str:
    """Return a text of the program's own in which `{keys.finish}` is the key of that command.

    It is the first of those in force in `app`; what the server or the operator wrote must be put
    in afterwards.
    """
    key_map = app.key_map if isinstance(app, HasKeyMap) else {}
    return _NAMED_COMMAND.sub(
        lambda match: shown_keys(_BY_ID[match[1]], key_map).split(", ")[0], text
    )


def keys_in(keys: str) -> list[str]:
    """Return the keys of a text in which commas separate them; a comma alone is one."""
    return [","] if keys.strip() == "," else [key.strip() for key in keys.split(",")]


def key_rows(place: Place, key_map: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """Return rows for manual and README: the keys as a person reads them, and what they do."""
    commands = [command for command in COMMANDS if command.place is place and command.help]
    return [(shown_keys(command, key_map or {}), command.help) for command in commands]


def key_table(of: str, key_map: Mapping[str, str] | None = None) -> str | None:
    """Return a table of the manual in Markdown, by what its comment names: a place, or the ids.

    None is for tables of something else.
    """
    kind, _, name = of.partition(": ")
    if kind != "keys":
        return None
    if name == "names":
        ids = [(c.id, c.title or c.help) for c in COMMANDS if c.can_be_mapped]
        rows = [("Name", "What it does"), *((f"`{id_}`", help_) for id_, help_ in ids)]
    else:
        keys = key_rows(Place[name], key_map)
        rows = [("Key", "What it does"), *((f"`{shown}`", help_) for shown, help_ in keys)]
    lines = [f"| {first} | {second} |" for first, second in rows]
    return "\n".join([lines[0], "|---|---|", *lines[1:]]) + "\n"
