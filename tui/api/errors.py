"""The exceptions of a request: raised by `tui.api`, and worded by `tui.problems`.

    ApiError
    ├── BadProxy         the environment names a proxy that can't be used; nothing was sent
    ├── Unsendable       what HTTP cannot carry, found before anything was sent
    ├── NotReached       no connection came about; nothing was sent
    ├── NoAnswer         the request went out, no whole answer came back in time
    ├── Redirected       the server wants to send the program elsewhere; refused
    ├── Unreadable       an answer that is not what the contract says
    ├── TooLarge         an answer over its cap
    └── Refused          the server said no, in its own words
        ├── Invalid          400, 413, 415, 422: a field is wrong
        ├── SignInRefused    400, 401, 403 with the two OAuth-style fields
        ├── HttpsWanted      400 to plain http on a port for https
        ├── CertificateWanted  400 for want of a client certificate
        ├── Unauthorized     401
        ├── Forbidden        403
        ├── NotFound         404
        ├── Conflict         409
        ├── RateLimited      420, 429
        └── ServerFailed     5xx

No message holds a credential, and all text from the server is made safe before it gets here.
`tui.problems` puts each of them into words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Stage(Enum):
    """How far the way to the server led."""

    NAME = "name"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    NETWORK = "network"
    PROXY = "proxy"
    PROXY_NOT_TLS = "proxy not tls"
    TLS_UNKNOWN_CA = "tls unknown ca"
    TLS_WRONG_HOST = "tls wrong host"
    TLS_SELF_SIGNED = "tls self-signed"
    TLS_EXPIRED = "tls expired"
    TLS_NOT_YET_VALID = "tls not yet valid"
    TLS_BAD_CERTIFICATE = "tls bad certificate"
    TLS_CLIENT_CERTIFICATE = "tls client certificate"
    TLS_OTHER = "tls other"
    NOT_TLS = "not tls"


class ApiError(Exception):
    """Base of everything that a call may raise."""

    maybe_done: bool = False
    """Whether the request may have taken effect although no good answer came (faults, A)."""


class BadProxy(ApiError):
    """The environment names a proxy that can't be used, so nothing was sent.

    `variable` names it; `scheme` is what it speaks, or nothing where its address can't be read.
    """

    def __init__(self, variable: str, scheme: str = "") -> None:
        super().__init__(variable, scheme)
        self.variable, self.scheme = variable, scheme


class Unsendable(ApiError):
    """Something in the request that HTTP cannot carry; nothing was sent.

    `what` is `credential`, `password`, `user name`, `id` or `address`, never its value.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class NotReached(ApiError):
    """No connection came about, so nothing was sent.

    `seconds` tells how long it was tried; `detail` is the system's own word, safe to show.
    """

    def __init__(
        self, stage: Stage, host: str, port: int, seconds: float, detail: str = ""
    ) -> None:
        super().__init__(stage, host, port)
        self.stage, self.host, self.port = stage, host, port
        self.seconds, self.detail = seconds, detail


class NoAnswer(ApiError):
    """The request went out, but no whole answer came: too late, cut off, or not HTTP at all.

    `reason` is `deadline`, `broken`, `not http`, or `tls` where plain http was sent to a port
    that speaks https alone; `seconds` tells how long it was waited for.
    """

    maybe_done = True

    def __init__(
        self, reason: str, host: str, port: int, seconds: float, scheme: str = "https"
    ) -> None:
        super().__init__(reason, host, port)
        self.reason, self.host, self.port = reason, host, port
        self.seconds, self.scheme = seconds, scheme
        if reason == "tls":
            self.maybe_done = False


class Redirected(ApiError):
    """The server answered with a redirect, which is never followed (faults, A)."""

    def __init__(self, status: int, location: str) -> None:
        super().__init__(status, location)
        self.status, self.location = status, location


class Unreadable(ApiError):
    """An answer that is not what the contract says: HTML, empty, cut off, of a wrong shape.

    `reason` says in a few words what it was instead; `excerpt` is its beginning, safe to show.
    """

    maybe_done = True

    def __init__(self, status: int, reason: str, excerpt: str = "") -> None:
        super().__init__(status, reason)
        self.status, self.reason, self.excerpt = status, reason, excerpt


class TooLarge(ApiError):
    """The answer exceeds its cap of `limit` bytes, decoded."""

    maybe_done = True

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One of the errors that an answer lists (contract 5), safe to show; `param` names a field."""

    message: str
    description: str = ""
    code: str = ""
    param: str = ""


class Refused(ApiError):
    """The server said no: the status and what it said, possibly nothing (contract 5).

    `excerpt` is the beginning of an answer that was not the contract's, safe to show.
    """

    excerpt: str = ""

    def __init__(self, status: int, entries: tuple[ErrorEntry, ...] = ()) -> None:
        super().__init__(status, entries)
        self.status, self.entries = status, entries


class Invalid(Refused):
    """400, 413, 415, 422: the request is wrong, usually in one field."""


class SignInRefused(Refused):
    """`/authenticate` said no: `error` is `invalid_grant`, `invalid_client`, … (contract 2)."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(status, (ErrorEntry(description or error),))
        self.error, self.description = error, description


class HttpsWanted(Refused):
    """400: plain http was sent to a port that speaks https; nothing was done."""


class CertificateWanted(Refused):
    """400: the server wants a client certificate, which the program has none of."""


class Unauthorized(Refused):
    """401: no, unknown or expired credential, or an address outside the allowed ones."""


class Forbidden(Refused):
    """403: known, but not permitted. Never a reason to sign out."""


class NotFound(Refused):
    """404."""


class Conflict(Refused):
    """409: changed by somebody else meanwhile."""


class RateLimited(Refused):
    """420, 429: too many requests; `retry_after` is what the server asks for, in seconds."""

    def __init__(
        self, status: int, entries: tuple[ErrorEntry, ...], retry_after: float | None
    ) -> None:
        super().__init__(status, entries)
        self.retry_after = retry_after


class ServerFailed(Refused):
    """5xx: the server, or a proxy in front of it, failed; the request may have taken effect."""

    maybe_done = True


def in_short(error: ApiError) -> str:
    """Say in one sentence why a call brought nothing; of the server's words it holds none."""
    if isinstance(error, Refused | Redirected):
        return f"The server answered {error.status}."
    if isinstance(error, NotReached):
        return f"The server could not be reached ({error.stage.value})."
    if isinstance(error, NoAnswer) and error.reason == "tls":
        return "The server speaks https alone."
    if isinstance(error, NoAnswer) and error.reason == "deadline":
        return f"No answer came within {error.seconds:.0f} s."
    if isinstance(error, NoAnswer):
        return "The connection broke before an answer came."
    if isinstance(error, BadProxy):
        return f"The proxy in {error.variable} can't be used."
    if isinstance(error, Unsendable):
        return f"The {error.what} holds what cannot be sent."
    return "The answer could not be read."
