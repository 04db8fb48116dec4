"""Error answers of every shape (contract 5) turned into exceptions with texts safe to show."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tui.api.decode import Malformed, parse_json
from tui.api.errors import (
    ApiError,
    CertificateWanted,
    Conflict,
    ErrorEntry,
    Forbidden,
    HttpsWanted,
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

Sanitize = Callable[[str], str]
"""Makes a text of the server safe to show."""

_HTTPS_PAGE = (
    rb"plain HTTP request was sent to HTTPS port|speaking plain HTTP to an SSL-enabled"
    rb"|HTTP request to an HTTPS server"
)
_CERTIFICATE_PAGE = rb"No required SSL certificate was sent|SSL certificate error"
"""What nginx, Apache and Go's servers write."""

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
    status, sanitize = answer.status, answer.sanitize
    if 300 <= status < 400:
        return Redirected(status, sanitize(answer.headers.get("location", "")))
    if not 400 <= status < 600:
        return Unreadable(status, "a status that HTTP does not know")
    if status == 400 and (page := _misdirected(answer.body)):
        return page(status)
    listed = read_entries(answer.body, sanitize)
    if sign_in and status in {400, 401, 403}:
        error: Refused = _sign_in_refused(status, listed)
    elif status in {420, 429}:
        error = RateLimited(status, listed, retry_after(answer.headers.get("retry-after", "")))
    else:
        error = (ServerFailed if status >= 500 else _KINDS.get(status, Refused))(status, listed)
    if not listed:
        error.excerpt = excerpt(answer.body, sanitize)
    return error


def _misdirected(body: bytes) -> type[Refused] | None:
    """Return the error that a web server's own page means: the request never reached Momentum."""
    beginning = body[:2_000]
    if re.search(_HTTPS_PAGE, beginning):
        return HttpsWanted
    return CertificateWanted if re.search(_CERTIFICATE_PAGE, beginning) else None


def _sign_in_refused(status: int, listed: tuple[ErrorEntry, ...]) -> SignInRefused:
    first = listed[0] if listed else ErrorEntry("")
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


def read_entries(body: bytes, sanitize: Sanitize) -> tuple[ErrorEntry, ...]:
    """Return the errors that a body lists, in any of contract 5's shapes; none where unreadable."""
    try:
        answer = parse_json(body)
    except Malformed:
        return ()
    if not isinstance(answer, dict):
        return ()
    listed = answer.get("errors") or answer
    many = listed if isinstance(listed, list) else [listed]
    return tuple(entry for each in many[:MOST_ENTRIES] if (entry := _entry(each, sanitize)))


def _entry(value: object, sanitize: Sanitize) -> ErrorEntry | None:
    if isinstance(value, str):
        return ErrorEntry(sanitize(value))
    if not isinstance(value, dict):
        return None

    def text(name: str) -> str:
        member = value.get(name)
        return sanitize(str(member)) if isinstance(member, str | int) else ""

    if value.get("error"):
        return ErrorEntry(text("error_description") or text("error"), code=text("error"))
    message = text("message") or text("description")
    description = text("description") if text("description") != message else ""
    return ErrorEntry(message, description, text("code"), text("param")) if message else None


def excerpt(body: bytes, sanitize: Sanitize) -> str:
    """Return the beginning of a body that is no JSON, safe to show.

    Of JSON nothing is shown, however damaged: it may hold what only the right reader may see.
    """
    start = body[:2_000].decode("utf-8", "replace").strip("\ufeff \t\r\n")
    return "" if start.startswith(("{", "[", '"')) else sanitize(start)
