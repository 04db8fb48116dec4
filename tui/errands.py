"""What kept an errand from its end, put into words: the server's errors, and those of its own."""

from __future__ import annotations

from dataclasses import replace

from tui.api.errors import Forbidden, NotFound
from tui.api.models import Key
from tui.api.session import (
    EnrolmentRequired,
    GivenUp,
    NoKeyManagement,
    SessionEnded,
    SingleSignOn,
)
from tui.delivery import DeliveryFailed
from tui.keys.rotation import CannotGoOn, NotVerified
from tui.keys.rotation.states import StillThere
from tui.keys.write_outcomes import NothingCreated, OutcomeUnknown, PasswordNotChecked, SecretLost
from tui.problems import Problem, describe
from tui.text import short

_OF_THE_SESSION: dict[type[Exception], Problem] = {
    SingleSignOn: Problem(
        "This account signs in through single sign-on",
        "Its password is no use here.",
        "Have an access token made in the browser and press ctrl+t to paste it.",
    ),
    EnrolmentRequired: Problem(
        "This account must have a second factor",
        "It has none yet, and one can only be set up in a browser.",
        "Sign in to the web interface once, then come back.",
    ),
    NoKeyManagement: Problem(
        "This server has no API keys",
        "It answers that there is nothing where keys are managed, as servers without the web "
        "interface do.",
        "Check the address; there is nothing to manage here otherwise.",
    ),
    GivenUp: Problem("You are not signed in", "The two-factor code was not entered."),
    SessionEnded: Problem(
        "Your session has ended", "The server wants you to sign in again.", "Try again to do so."
    ),
}


def explain(error: Exception, key: Key | None = None) -> Problem:
    """Put what went wrong with an errand into words; `key` is the one that it was about.

    Raises TypeError for an error that nobody has found words for.
    """
    if problem := _of_the_program(error):
        return problem
    problem = describe(error)
    if key is not None and isinstance(error, Forbidden):
        return _explain_forbidden(problem, key)
    if key is not None and isinstance(error, NotFound):
        hint = "Your draft is still here; Esc goes back to the list, which is read anew."
        return replace(problem, title="Somebody else has deleted this key", hint=hint)
    return problem


def _of_the_program(error: Exception) -> Problem | None:
    """Put into words what the program itself makes of the server's answers, and of their lack."""
    match error:
        case SecretLost() | NothingCreated() | OutcomeUnknown():
            return _explain_create(error)
        case PasswordNotChecked():
            problem = describe(error.cause, "checking the password")
            title = f"Nothing was created: {problem.title[:1].lower()}{problem.title[1:]}"
            detail = "The password could not be checked."
            return replace(problem, title=title, detail=detail, fields={})
        case NotVerified():
            return Problem(error.sentence.rstrip("."), " ".join(error.verification.hints))
        case StillThere() if error.cause is not None:
            return replace(describe(error.cause), detail=error.sentence, hint="", fields={})
        case CannotGoOn():
            return Problem(error.sentence.rstrip("."))
        case DeliveryFailed():
            return Problem("The secret was not delivered", error.sentence)
    return _OF_THE_SESSION.get(type(error))


def in_one_line(problem: Problem) -> str:
    """Return the most telling sentence of a problem: what is said of a field, else the title."""
    return " ".join(problem.fields.values()) or problem.title


def _explain_forbidden(problem: Problem, key: Key) -> Problem:
    if not key.owner:
        return replace(problem, title="The server does not let you change this key")
    owner = short(key.owner, 40)
    return replace(
        problem,
        title=f"This key belongs to {owner}",
        hint=f"The server lets you see it but not change it. Ask {owner} to do so.",
    )


def _explain_create(error: SecretLost | NothingCreated | OutcomeUnknown) -> Problem:
    cause = describe(error.cause, "creating the key")
    technical = "\n".join(filter(None, (cause.title, cause.detail, cause.technical)))
    if isinstance(error, SecretLost):
        label, short_key = short(error.key.label, 60), short(error.key.short_key, 12)
        named = f"{label} ({short_key})" if short_key else label
        return Problem(
            "The key was created, but its secret was lost",
            f"Momentum created {named}, but its secret was lost on the way and can't be shown "
            "again. Delete it and create it again?",
            "The key in the list is of no use without its secret.",
            technical=technical,
        )
    if isinstance(error, NothingCreated):
        later = " Should one come after all, the list will say that its secret was never stored."
        return Problem(
            f"Nothing was created{' so far' if error.cause.maybe_later else ''}: "
            f"{cause.title[:1].lower()}{cause.title[1:]}",
            "The list of keys was read again: no new key with this label is there.",
            f"Your draft is still here.{later if error.cause.maybe_later else ''}",
            technical=technical,
        )
    listed = "The list of keys could not be read afterwards."
    if error.ambiguous:
        listed = "The list shows a key that may have come of it, or may be somebody else's."
    return Problem(
        "It is not known whether the key was created",
        f"{cause.title}. {listed}",
        "Go back and reload: a new key with this label has a secret that nobody knows.",
        technical=technical,
    )
