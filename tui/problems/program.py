"""The words for outcomes that the program finds out by itself."""

from __future__ import annotations

from dataclasses import replace

from tui.api.models import Key
from tui.api.session import (
    EnrolmentRequired,
    GivenUp,
    NoKeyManagement,
    SessionEnded,
    SingleSignOn,
)
from tui.delivery import DeliveryFailed
from tui.keys.labels import shown_label
from tui.keys.pause import PauseRefused
from tui.keys.rotation import NotVerified
from tui.keys.write_outcomes import (
    CannotGoOn,
    NotSeenSoFar,
    OutcomeUnknown,
    OutOfReach,
    PasswordNotChecked,
    SecretLost,
    StillThere,
    Unresolved,
)
from tui.problems.problem import Problem
from tui.problems.server import describe_server_error
from tui.text import short

_SESSION_PROBLEMS: dict[type[Exception], Problem] = {
    SingleSignOn: Problem(
        "This account signs in through single sign-on",
        "Its password cannot be used here.",
        "Take an access token from the browser, as the manual explains under Get an access token, "
        "and paste it with Access token.",
    ),
    EnrolmentRequired: Problem(
        "This account must have a second factor",
        "It has none yet, and one can only be set up in a browser.",
        "Sign in to the web interface once, then come back.",
    ),
    NoKeyManagement: Problem(
        "This server has no API keys",
        "The API for keys is missing on it, as on servers without the web interface.",
        "Check the address.",
    ),
    GivenUp: Problem("You are not signed in", "The two-factor code was not entered."),
    SessionEnded: Problem(
        "Your session has ended", "The server requires a new sign-in.", "Try again to sign in."
    ),
}


def describe_program_error(error: Exception) -> Problem:
    """Put into words what ended an action besides the server's errors.

    Raises TypeError for an error that has no words here.
    """
    match error:
        case SecretLost() | NotSeenSoFar() | OutcomeUnknown():
            return _describe_create(error)
        case PasswordNotChecked():
            problem = describe_server_error(error.cause, "checking the password")
            title = f"Nothing was created: {problem.title[:1].lower()}{problem.title[1:]}"
            detail = "The password could not be checked."
            return replace(problem, title=title, detail=detail, fields={})
        case OutOfReach():
            return _describe_out_of_reach(error)
        case NotVerified():
            return Problem(error.sentence.rstrip("."), " ".join(error.verification.hints))
        case StillThere() | Unresolved() if error.cause is not None:
            problem = describe_server_error(error.cause, "")
            return replace(problem, detail=error.sentence, hint="", fields={})
        case CannotGoOn() | PauseRefused():
            return Problem(error.sentence.rstrip("."))
        case DeliveryFailed():
            return Problem("The secret was not delivered", error.sentence)
    if type(error) in _SESSION_PROBLEMS:
        return _SESSION_PROBLEMS[type(error)]
    raise TypeError(f"no words for {type(error).__name__}")


def _describe_out_of_reach(error: OutOfReach) -> Problem:
    cause = describe_server_error(error.cause, "")
    listed = "The list of keys could not be read to see whether it is still there."
    if error.is_listed:
        listed = "The list of keys still has it, so it was not deleted."
    return Problem(
        "The server does not find this key",
        listed,
        "A proxy may have answered, or you may have no access to the key's subaccount.",
        technical="\n".join(filter(None, (cause.title, cause.detail, cause.technical))),
    )


def _describe_create(error: SecretLost | NotSeenSoFar | OutcomeUnknown) -> Problem:
    cause = describe_server_error(error.cause, "creating the key")
    technical = "\n".join(filter(None, (cause.title, cause.detail, cause.technical)))
    if isinstance(error, SecretLost):
        label, short_key = short(shown_label(error.key.label), 60), short(error.key.short_key, 12)
        named = f"{label} ({short_key})" if short_key else label
        return Problem(
            "The key was created, but its secret was lost",
            f"Momentum created {named}, but its secret was lost on the way and can't be shown "
            "again. Delete it and create it again?",
            "The key in the list is useless without its secret.",
            technical=technical,
        )
    if isinstance(error, NotSeenSoFar):
        return Problem(
            f"No new key was seen so far: {cause.title[:1].lower()}{cause.title[1:]}",
            "The list of keys was read again: no new key with this label is there. One may still "
            "appear within 15 minutes.",
            "Your draft is still here. If a key appears, the list will say that its secret was "
            "never stored.",
            technical=technical,
        )
    listed = "The list of keys could not be read afterwards."
    if error.alike:
        named = ", ".join(_describe_key(key) for key in error.alike[:3])
        listed = f"The list shows {named}: this may be the new key, or somebody else's."
    if error.partial:
        listed = "The server lists only part of its keys, and no new one with this label is there."
    return Problem(
        "It is not known whether the key was created",
        f"{cause.title}. {listed}",
        "Go back and reload: a new key with this label may have a secret that nobody knows.",
        technical=technical,
    )


def _describe_key(key: Key) -> str:
    """Return a key's label, short key, owner and date, as far as the server tells them."""
    created = key.created_at
    parts = [
        short(key.label, 40),
        short(key.short_key, 12),
        f"of {short(key.owner, 30)}" if key.owner else "",
        f"made at {created:%Y-%m-%d %H:%M} UTC" if created else "",
    ]
    return " ".join(filter(None, parts))
