"""What the values of the configuration may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from tui.api.address import BadAddress, parse_server
from tui.config.toml_positions import TomlPath
from tui.keys.rotation_policy import AGE_FORMS, RotationPolicy, parse_age
from tui.text import did_you_mean, short

COLOURS = ("red", "yellow", "green", "cyan", "blue", "magenta")
"""The colours that the bar at the top can have."""
MOST_MINUTES = 7 * 24 * 60
MOST_MEBIBYTES = 4096

_LONGEST_LABEL_PATTERN = 200

Read = Callable[[object, Path], object]
"""Returns what a value means, in a file of that folder; raises WrongValue."""


class WrongValue(ValueError):
    """A value is none of those allowed; `path` leads to the part of it that is wrong.

    `sentence` follows the name of the setting, as in "must be a text"; it never holds the value of
    what may be a secret.
    """

    def __init__(self, sentence: str, path: TomlPath = ()) -> None:
        super().__init__(sentence)
        self.sentence, self.path = sentence, path


def text(value: object, _: Path) -> str:
    """A text that is not empty."""
    if not isinstance(value, str):
        raise WrongValue('must be a text, in quotes: "…"')
    if not value.strip() or not value.isprintable():
        raise WrongValue("must be a text on one line, and not empty")
    return value.strip()


def flag(value: object, _: Path) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise WrongValue("must be true or false, without quotes")
    return value


def minutes(value: object, _: Path) -> float:
    """Minutes, as seconds."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= float(str(value)) <= MOST_MINUTES:
        raise WrongValue(f"must be a number of minutes from 0, for never, to {MOST_MINUTES}")
    return 60 * float(str(value))


def mebibytes(value: object, _: Path) -> int:
    """MiB, as bytes."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_MEBIBYTES:
        raise WrongValue(f"must be a whole number of MiB from 1 to {MOST_MEBIBYTES}")
    return value * 2**20


def subaccount(value: object, _: Path) -> int:
    """The number of a subaccount."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 2**31:
        raise WrongValue("must be the number of a subaccount, from 1")
    return value


def one_of(names: Sequence[str]) -> Read:
    """Return what reads one of these names."""

    def read(value: object, folder: Path) -> str:
        if not isinstance(value, str) or value not in names:
            close = did_you_mean(value, names) if isinstance(value, str) else ""
            raise WrongValue(f"must be one of {', '.join(names)}, in quotes{close}")
        return value

    return read


def url(value: object, folder: Path) -> str:
    """The address of a server; whether plain http is allowed is a question of its own."""
    from tui.problems import describe  # slow to import, and needed for this refusal alone

    address = text(value, folder)
    try:
        parse_server(address, plain_http_allowed=True)
    except BadAddress as error:
        problem = describe(error)
        raise WrongValue(f"can't be called: {lower_first(problem.title)}. {problem.hint}") from None
    return address


def prefix(value: object, folder: Path) -> str:
    """The path that all calls begin with."""
    path = text(value, folder)
    try:
        parse_server("https://host", prefix=path)
    except BadAddress:
        path = ""
    if not path.startswith("/"):
        raise WrongValue('must be a path such as "/api/v1"')
    return path


def file(value: object, folder: Path) -> Path:
    """The name of a file, in the folder of the configuration where it isn't named as a whole."""
    try:
        return folder / Path(text(value, folder)).expanduser()
    except RuntimeError:
        raise WrongValue("begins with the home of a user who is not known") from None


def argv(value: object, folder: Path) -> tuple[str, ...]:
    """A program and its arguments, which no shell sees."""
    is_list = isinstance(value, list) and value and all(isinstance(word, str) for word in value)
    if not is_list or not isinstance(value, list) or not value[0].strip():
        raise WrongValue('must be a list of texts, as in ["pass", "show", "momentum/prod"]')
    if wrong := [number for number, word in enumerate(value) if "\0" in word]:
        raise WrongValue("holds a character that no argument can", (wrong[0],))
    return tuple(value)


def deliveries(value: object, folder: Path) -> Mapping[str, str]:
    """Commands that take a secret on their standard input, by name."""
    from tui.delivery.new_secret import DeliveryFailed  # slow to import, and not always needed
    from tui.delivery.template import parse_template

    commands = _table_of_texts(value, 'name = "command"')
    for name, command in commands.items():
        try:
            parse_template(command)
        except DeliveryFailed as failure:
            raise WrongValue(f"{short(name, 40)}: {failure.sentence}", (name,)) from None
        if not name.strip() or not name.isprintable():
            raise WrongValue("has a command without a name that can be shown", (name,))
    return commands


def key_map(value: object, folder: Path) -> Mapping[str, str]:
    """Keys by the ids of commands; `tui.ui.key_map` checks whether both exist."""
    return _table_of_texts(value, '"keys.rotate" = "R"')


def rotate_after(value: object, folder: Path) -> RotationPolicy:
    """An age, or ages by patterns of labels."""
    if isinstance(value, str):
        return RotationPolicy(_age(value, ()))
    if not isinstance(value, Mapping):
        raise WrongValue(f'must be an age: {AGE_FORMS}; or ages by label: {{ "batch-*" = "30d" }}')
    ages = {pattern: _age(age, (pattern,)) for pattern, age in value.items()}
    for pattern in ages:
        if not pattern or len(pattern) > _LONGEST_LABEL_PATTERN:
            raise WrongValue("has a pattern that no label can match", (pattern,))
    return RotationPolicy(None, ages)


def _age(value: object, path: TomlPath) -> timedelta | None:
    try:
        return parse_age(value) if isinstance(value, str) else parse_age("")
    except ValueError:
        raise WrongValue(f"must be an age: {AGE_FORMS}", path) from None


def _table_of_texts(value: object, form: str) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise WrongValue(f"must be a table of lines such as {form}")
    for name, command in value.items():
        if not isinstance(command, str) or not command.strip():
            raise WrongValue(f"must be a table of lines such as {form}", (name,))
    return dict(value)


def lower_first(sentence: str) -> str:
    """Return a sentence so that it can stand behind a colon."""
    return sentence[:1].lower() + sentence[1:]
