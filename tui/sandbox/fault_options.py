"""The faults that `--fault` takes; light enough for the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FaultOption:
    """One kind of fault, and what it takes behind `=`; `otherwise` where nothing stands there."""

    name: str
    form: str
    otherwise: float | None
    help: str

    @staticmethod
    def parse(text: str) -> tuple[str, float]:
        """Return the name and the number of an option like `slow=2`; raises ValueError.

        The error's text is one sentence that says what is wrong.
        """
        name, equals, value = text.partition("=")
        if name not in _BY_NAME:
            raise ValueError(f"There is no fault {name!r}; there are {', '.join(_BY_NAME)}.")
        option = _BY_NAME[name]
        if not equals and option.otherwise is not None:
            return name, option.otherwise
        number = re.fullmatch(r"([0-9]{1,4}(?:\.[0-9]{1,3})?)(/s)?", value)
        if not option.form:
            raise ValueError(f"--fault {name} takes no value.")
        if number is None or bool(number[2]) != option.form.endswith("/s") or not float(number[1]):
            raise ValueError(f"--fault {name} goes as in {name}{option.form}.")
        return name, float(number[1])


FAULTS = (
    FaultOption(
        "drop-after-create", "=1", float("inf"),
        "drop the connection after the first create; without a number, after each",
    ),
    FaultOption("slow", "=2", None, "answer 2 seconds later"),
    FaultOption("rate", "=2/s", None, "refuse more than 2 requests a second, with status 429"),
    FaultOption(
        "stale-list", "=10", 10.0,
        "return the list from before a write for 10 seconds after it",
    ),
    FaultOption("list-in-part", "", 1.0, "leave the last key out of the list, and say so"),
)  # fmt: skip
_BY_NAME = {option.name: option for option in FAULTS}
