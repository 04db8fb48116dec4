"""What went wrong, put into words: what is wrong, where, and what to do next.

Who words an error:

- An exception of the program that one sentence explains carries that sentence itself, as
  `sentence`. The sentence says what happened and what to do.
- What needs a title, a hint, the server's own words or the key concerned is worded here; screens
  show a `Problem` as it is.
- What only one screen can know is worded there, such as what somebody else changed during an edit.

Everything that `describe` is given is safe to show already, and nothing that it returns holds a
secret. The words for what the program itself finds out load when they are first needed, since the
first screen does without rotation and delivery.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui.api.address import BadAddress
from tui.api.errors import ApiError, Forbidden, NotFound
from tui.problems.problem import Problem
from tui.problems.server import describe_server_error
from tui.text import short

if TYPE_CHECKING:
    from tui.api.models import Key

__all__ = ["Problem", "describe", "unconfirmed_sign_out"]


def describe(error: Exception, key: Key | None = None, *, doing: str = "") -> Problem:
    """Put `error` into words.

    `key` is the key that was to be changed; `doing` says what was being done, as in "creating the
    key". Raises TypeError for an error that has no words here: vague ones would hide it.
    """
    if not isinstance(error, ApiError | BadAddress):
        from tui.problems.program import describe_program_error

        return describe_program_error(error)
    problem = describe_server_error(error, doing)
    if key is not None and isinstance(error, Forbidden):
        return _describe_forbidden(problem, key)
    if key is not None and isinstance(error, NotFound):
        hint = "Your draft is still here; Esc goes back to the list, which is read again."
        return replace(problem, title="Somebody else has deleted this key", hint=hint)
    return problem


def _describe_forbidden(problem: Problem, key: Key) -> Problem:
    if not key.owner:
        return replace(problem, title="The server does not let you change this key")
    owner = short(key.owner, 40)
    return replace(
        problem,
        title=f"This key belongs to {owner}",
        hint=f"The server lets you see it but not change it. Ask {owner} to do so.",
    )


def unconfirmed_sign_out(address: str) -> Problem:
    """Put into words that a server did not answer a sign-out as it should (contract 2)."""
    return Problem(
        "The sign-out was not confirmed",
        f"{short(address, 60)} may accept the session's token until that expires.",
    )
