"""What the server says when it says no: every shape of contract 5, made safe to show."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tui.api.decode import Malformed, parse
from tui.api.errors import (
    ApiError,
    Conflict,
    ErrorEntry,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    Redirected,
    Refused,
    ServerFailed,
    SignInRefused,
    Unauthorized,
    Unreadable,
)
from tui.api.transport import Answer

MOST_ENTRIES = 50
"""How many errors of one answer are kept."""

LONGEST_WAIT = 300.0
"""How long a `Retry-After` may make the program wait, in seconds."""

Say = Callable[[str], str]
"""Makes a text of the server safe to show."""

_KINDS: dict[int, type[Refused]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: Invalid,
    415: Invalid,
    422: Invalid,
}


def refusal(answer: Answer, *, sign_in: bool = False) -> ApiError:
    """Return the error that an answer outside 2xx is.

    With `sign_in`, for `/authenticate` itself, 400, 401 and 403 are SignInRefused in any shape:
    there is no session yet that a 401 could end.
    """
    status, say = answer.status, answer.say
    if 300 <= status < 400:
        return Redirected(status, say(answer.headers.get("location", "")))
    if not 400 <= status < 600:
        return Unreadable(status, "a status that HTTP does not know")
    told = entries(answer.body, say)
    if sign_in and status in {400, 401, 403}:
        error: Refused = _sign_in_refused(status, told)
    elif status in {420, 429}:
        error = RateLimited(status, told, retry_after(answer.headers.get("retry-after", "")))
    else:
        error = (ServerFailed if status >= 500 else _KINDS.get(status, Refused))(status, told)
    if not told:
        error.excerpt = excerpt(answer.body, say)
    return error


def _sign_in_refused(status: int, told: tuple[ErrorEntry, ...]) -> SignInRefused:
    first = told[0] if told else ErrorEntry("")
    return SignInRefused(status, first.code, first.message)


def retry_after(value: str, now: datetime | None = None) -> float | None:
    """Return how long the server asks to wait, in seconds, at most LONGEST_WAIT.

    It comes as seconds or as a date; garbage, negative numbers and dates gone by give None.
    """
    if re.fullmatch(r"[0-9]{1,12}", value.strip()):
        return min(float(value), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(value)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC)
        seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(seconds, LONGEST_WAIT) if seconds >= 0 else None


def entries(body: bytes, say: Say) -> tuple[ErrorEntry, ...]:
    """Return the errors that a body lists, in any of contract 5's shapes; none where unreadable."""
    try:
        found = parse(body)
    except Malformed:
        return ()
    if not isinstance(found, dict):
        return ()
    listed = found.get("errors") or found
    many = listed if isinstance(listed, list) else [listed]
    return tuple(entry for each in many[:MOST_ENTRIES] if (entry := _entry(each, say)))


def _entry(found: object, say: Say) -> ErrorEntry | None:
    if isinstance(found, str):
        return ErrorEntry(say(found))
    if not isinstance(found, dict):
        return None

    def text(name: str) -> str:
        value = found.get(name)
        return say(str(value)) if isinstance(value, str | int) else ""

    if found.get("error"):
        return ErrorEntry(text("error_description") or text("error"), code=text("error"))
    message = text("message") or text("description")
    description = text("description") if text("description") != message else ""
    return ErrorEntry(message, description, text("code"), text("param")) if message else None


def excerpt(body: bytes, say: Say) -> str:
    """Return the beginning of a body that is no JSON, safe to show.

    Of JSON nothing is shown, however damaged: it may hold what only the right reader may see.
    """
    start = body[:2_000].decode("utf-8", "replace").strip("\ufeff \t\r\n")
    return "" if start.startswith(("{", "[", '"')) else say(start)
