"""The words for errors of the server, the network and the address."""

from __future__ import annotations

import re
from functools import singledispatch
from types import MappingProxyType

from tui.api import errors
from tui.api.address import AddressFault, BadAddress
from tui.api.errors import ErrorEntry, Stage
from tui.problems.problem import Problem
from tui.text import short

FIELDS = ("label", "grants", "valid_ips", "password")
"""The fields of a form that an error can belong to."""


@singledispatch
def describe_server_error(error: Exception, doing: str) -> Problem:
    """Put an ApiError or a BadAddress into words; `doing` as for `tui.problems.describe`.

    Raises TypeError for an error that has no words here.
    """
    raise TypeError(f"no words for {type(error).__name__}")


_ADDRESSES = {
    AddressFault.EMPTY: (
        "There is no address yet",
        "Type the server's name, as in mail.example:443.",
    ),
    AddressFault.SCHEME: (
        "Only https:// and http:// addresses work",
        "Leave the beginning out, and https:// is used.",
    ),
    AddressFault.USER_INFO: (
        "The address holds a user name or password",
        "Leave out everything up to the @; the user name and password have fields of their own.",
    ),
    AddressFault.PORT: ("The port is not a number from 1 to 65535", "As in mail.example:8443."),
    AddressFault.HOST: (
        "This is not a host name or an IP address",
        "As in mail.example, 192.0.2.1 or [2001:db8::1].",
    ),
    AddressFault.QUERY: (
        "The address holds a ? or a #",
        "Leave out everything after {url}.",
    ),
    AddressFault.PATH: (
        "The address has a path that is not the API's",
        "Leave out everything after {url}, or end it with the API's own path, as in /api/v1.",
    ),
    AddressFault.PLAIN_HTTP: (
        "Plain http would show passwords and keys to the network",
        "Use https://, or start with --allow-http if it must be.",
    ),
    AddressFault.CA_FILE: (
        "The CA file can't be read",
        "--ca-file FILE takes a readable PEM file with at least one certificate.",
    ),
}


@describe_server_error.register
def _(error: BadAddress, doing: str) -> Problem:
    title, hint = _ADDRESSES[error.reason]
    if error.reason is AddressFault.CA_FILE:
        return Problem(title, f"{error.detail}.", hint)
    return Problem(title, hint=hint.format(url=error.detail))


@describe_server_error.register
def _(error: errors.BadProxy, doing: str) -> Problem:
    what = f"{error.variable} can't be read."
    if error.scheme:
        what = f"{error.variable} names a {error.scheme} proxy; only http and https proxies work."
    hint = f"Correct {error.variable}, or name the server in NO_PROXY."
    return Problem("The environment's proxy can't be used", what, hint)


@describe_server_error.register
def _(error: errors.Unsendable, doing: str) -> Problem:
    return Problem(
        f"The {error.what} can't be sent",
        f"The {error.what} is empty or holds characters that HTTP can't carry. Nothing was sent.",
        "Check for line breaks or other characters that came along when it was pasted.",
    )


_CERTIFICATE_WANTED = (
    "It lets in only programs that show a certificate of their own, and this one has none.",
    "Ask for an address of the server that does without, such as one inside the network.",
)

_STAGES: dict[Stage, tuple[str, str, str]] = {
    Stage.NAME: (
        "{host} was not found",
        "The name {name} could not be looked up.",
        "Check the spelling, and whether this machine can resolve names (VPN, DNS).",
    ),
    Stage.REFUSED: (
        "{place} refused the connection",
        "The host {name} is there, but nothing is listening on port {port}.",
        "Check the port, and whether the server is running.",
    ),
    Stage.TIMEOUT: (
        "{place} did not respond",
        "No connection came about within {seconds}.",
        "Check the address, and whether a firewall or a VPN stands in between; then retry.",
    ),
    Stage.NETWORK: (
        "{place} can't be reached",
        "The network could not connect to {name}, port {port}.",
        "Check the network, then retry.",
    ),
    Stage.PROXY: (
        "The proxy at {place} failed",
        "The environment's proxy settings lead there, and it did not connect to the server.",
        "Check HTTPS_PROXY and HTTP_PROXY, or name the server in NO_PROXY.",
    ),
    Stage.PROXY_NOT_TLS: (
        "{place} is no https proxy",
        "The environment's proxy settings name it with https://, but it answers in plain http.",
        "Begin its address in HTTPS_PROXY or HTTP_PROXY with http:// instead.",
    ),
    Stage.TLS_UNKNOWN_CA: (
        "{host}: unknown certificate authority",
        "The certificate of {name}, port {port}, was not issued by anybody this system trusts.",
        "If your company has its own authority, name its certificate with --ca-file FILE.",
    ),
    Stage.TLS_WRONG_HOST: (
        "The certificate is not for {host}",
        "{name}, port {port}, answered with another host's certificate.",
        "Use the name that the certificate is for, or check where {name} leads.",
    ),
    Stage.TLS_SELF_SIGNED: (
        "{host}: self-signed certificate",
        "The certificate of {name}, port {port}, was issued by nobody but itself.",
        "If it is known to be the right one, name it with --ca-file FILE.",
    ),
    Stage.TLS_EXPIRED: (
        "The certificate of {host} expired",
        "By this machine's clock, the certificate of {name}, port {port}, or one that vouches for "
        "it, is no longer valid.",
        "It has to be renewed on the server; check this machine's clock, too.",
    ),
    Stage.TLS_NOT_YET_VALID: (
        "Certificate of {host} not valid yet",
        "By this machine's clock, the certificate of {name}, port {port}, or one that vouches for "
        "it, only becomes valid later.",
        "Check this machine's clock; if it is right, the server needs another certificate.",
    ),
    Stage.TLS_BAD_CERTIFICATE: (
        "The certificate of {host} is refused",
        "This program does not accept the certificate of {name}, port {port}: {reason}.",
        "Whoever runs the server has to put that right.",
    ),
    Stage.TLS_CLIENT_CERTIFICATE: (
        "{host} wants a client certificate",
        *_CERTIFICATE_WANTED,
    ),
    Stage.TLS_OTHER: (
        "No encryption with {place}",
        "The server and this program could not agree on encryption.",
        "Check the port; the server may also want a client certificate, which this program can't "
        "show.",
    ),
    Stage.NOT_TLS: (
        "{place} does not speak https",
        "What answered on port {port} of {name} is not encrypted.",
        "Is this http? Check the port, or begin the address with http://.",
    ),
}


@describe_server_error.register
def _(error: errors.NotReached, doing: str) -> Problem:
    words = {
        "place": _place(error.host, error.port),
        "host": short(error.host, 28),
        "name": short(error.host),
        "port": error.port,
        "seconds": _seconds(error.seconds),
        "reason": error.detail or "no reason is known",
    }
    title, detail, hint = (text.format(**words) for text in _STAGES[error.stage])
    # TLS 1.3 refuses a client only after the request is on its way.
    is_late = error.stage is Stage.TLS_CLIENT_CERTIFICATE
    return Problem(
        title,
        f"{detail} {'Nothing was done there.' if is_late else 'Nothing was sent.'}",
        hint,
        technical=_technical(f"stage: {error.stage.value}", error.detail),
    )


@describe_server_error.register
def _(error: errors.NoAnswer, doing: str) -> Problem:
    place, seconds = _place(error.host, error.port), _seconds(error.seconds)
    if error.reason == "deadline":
        return Problem(
            f"{place} did not answer in time",
            f"The request went out, but no whole answer came within {seconds}.",
            "Retry in a moment; the server may be busy or the line slow.",
        )
    if error.reason == "tls":
        return Problem(
            f"{place} does not speak plain http",
            "The request went out unencrypted; what came back is not HTTP, as from an https port.",
            "Begin the address with https://.",
        )
    if error.reason == "not http":
        return Problem(
            f"{place} does not speak HTTP",
            "Something answered there, but it is not a web server of any kind.",
            "Check the port, and whether the address should begin with https://.",
        )
    return Problem(
        f"{place} broke the connection",
        f"The request went out, but the connection ended after {seconds}, before a whole answer.",
        "Retry; if it goes on, check the port, and whether the "
        + ("address should begin with https://." if error.scheme == "http" else _LOG),
    )


_LOG = "server's log tells more."


@describe_server_error.register
def _(error: errors.Redirected, doing: str) -> Problem:
    return Problem(
        "The server redirects to another address",
        f"It points to {error.location or 'no address'}. "
        "That was not followed, since the password or key would go there too.",
        "If the place is right, use its address for this server.",
        technical=f"status: {error.status}",
    )


@describe_server_error.register
def _(error: errors.Unreadable, doing: str) -> Problem:
    return Problem(
        "The answer is not what Momentum would send",
        f"Status {error.status}{_while(doing)}: {error.reason}.",
        "Check that the address leads to a Momentum server, not to a login page or a proxy.",
        technical=_technical(f"status: {error.status}", error.excerpt),
    )


@describe_server_error.register
def _(error: errors.TooLarge, doing: str) -> Problem:
    return Problem(
        "The answer is too large",
        f"It was stopped at {error.limit / 2**20:,.0f} MiB{_while(doing)}.",
        "Check that the address leads to a Momentum server. If it has very many keys, set "
        "`list_limit` in the configuration to more MiB; a list takes up to five times the memory.",
    )


@describe_server_error.register
def _(error: errors.Refused, doing: str) -> Problem:
    title = f"The server refused with status {error.status}"
    if error.status == 407:
        title = "The proxy asks for a sign-in"
        return _describe_refusal(
            error, title, "Put user name and password into HTTPS_PROXY.", doing
        )
    return _describe_refusal(error, title, "The details may say more.", doing)


@describe_server_error.register
def _(error: errors.HttpsWanted, doing: str) -> Problem:
    return Problem(
        "The server speaks https only on this port",
        "The request went out as plain http, and the server did not take it.",
        "Begin the address with https://.",
        technical=f"status: {error.status}",
    )


@describe_server_error.register
def _(error: errors.CertificateWanted, doing: str) -> Problem:
    return Problem(
        "The server wants a client certificate",
        *_CERTIFICATE_WANTED,
        technical=f"status: {error.status}",
    )


@describe_server_error.register
def _(error: errors.Invalid, doing: str) -> Problem:
    if error.status == 413:
        title = "The request is too large for the server"
        hint = "Send less, such as a shorter label, or have its administrator raise the limit."
        return _describe_refusal(error, title, hint, doing)
    hint = "Correct what is marked and try again; what you typed is still there."
    if not any(_field(entry.param) for entry in error.entries):
        hint = "What you typed is still there; the details may say what to change."
    return _describe_refusal(error, "The server did not accept the request", hint, doing)


@describe_server_error.register
def _(error: errors.SignInRefused, doing: str) -> Problem:
    sentence = _sentence(error.entries[0]) if error.entries else ""
    technical = _technical(f"status: {error.status}", error.error, error.excerpt)
    if error.error == "invalid_client":
        hint = "Check Client ID and Client secret in the form for signing in."
        return Problem("The server does not know this program", sentence, hint, {}, technical)
    if error.status == 403:
        hint = "Wait a while, or ask an administrator to unblock the account."
        return Problem(
            "Sign-in is blocked for this account or address", sentence, hint, {}, technical
        )
    if error.error not in {"", "invalid_grant"}:
        hint = "An administrator can see the reason; the details may help."
        return Problem("The server refused the sign-in", sentence, hint, {}, technical)
    sentence = sentence or "The server did not accept the user name or the password."
    hint = "Check the user name, Caps Lock and the keyboard layout, then try again."
    fields = {"password": sentence}
    return Problem("The sign-in was not accepted", sentence, hint, fields, technical)


@describe_server_error.register
def _(error: errors.Unauthorized, doing: str) -> Problem:
    hint = "Sign in again. If that does not help, this host may not be among the allowed IPs."
    return _describe_refusal(error, "The server no longer accepts the sign-in", hint, doing)


@describe_server_error.register
def _(error: errors.Forbidden, doing: str) -> Problem:
    hint = (
        "Managing keys takes the grant api_keys/manage, and some servers let only its owner "
        "change a key. You are still signed in."
    )
    return _describe_refusal(error, "You are not permitted to do this", hint, doing)


@describe_server_error.register
def _(error: errors.NotFound, doing: str) -> Problem:
    hint = "Somebody else may have deleted it, or this server has no key management."
    return _describe_refusal(error, "The server has nothing by that name", hint, doing)


@describe_server_error.register
def _(error: errors.Conflict, doing: str) -> Problem:
    hint = "Check its current state, then decide; your draft is kept."
    return _describe_refusal(error, "Somebody else changed it meanwhile", hint, doing)


@describe_server_error.register
def _(error: errors.RateLimited, doing: str) -> Problem:
    wait = error.retry_after
    hint = f"Wait {'some seconds' if wait is None else _seconds(wait)}, then retry."
    return _describe_refusal(error, "The server asks for fewer requests", hint, doing)


@describe_server_error.register
def _(error: errors.ServerFailed, doing: str) -> Problem:
    title = f"The server failed with status {error.status}"
    hint = "Retry in a moment; its administrator can look into the log."
    return _describe_refusal(error, title, hint, doing)


def _describe_refusal(error: errors.Refused, title: str, hint: str, doing: str) -> Problem:
    """Word a refusal: what the server says of a field beside it, all else in the detail."""
    fields: dict[str, str] = {}
    rest: list[str] = []
    for entry in error.entries:
        sentence, name = _sentence(entry), _field(entry.param)
        if not sentence:
            continue
        if name:
            fields[name] = f"{fields[name]} {sentence}" if name in fields else sentence
        else:
            rest.append(f"{entry.param}: {sentence}" if entry.param else sentence)
    opening = "" if fields or rest else f"It gave no reason{_while(doing)}."
    codes = (f"code: {entry.code}" for entry in error.entries if entry.code)
    return Problem(
        title,
        short(" ".join(filter(None, [opening, *rest])), 1_000),
        hint,
        MappingProxyType(fields),
        _technical(f"status: {error.status}", *codes, error.excerpt),
    )


def _sentence(entry: ErrorEntry) -> str:
    texts = [text.strip().rstrip(".") for text in (entry.message, entry.description)]
    joined = ": ".join(filter(None, texts))
    return f"{joined}." if joined and joined[-1] not in "!?…" else joined


def _field(param: str) -> str:
    """Return the form's field that `param` belongs to, as in `valid_ips[2]`, or nothing."""
    name = re.match(r"[a-z_]+", param)
    return name[0] if name and name[0] in FIELDS else ""


def _place(host: str, port: int) -> str:
    shown = short(host, 28)
    return f"[{shown}]:{port}" if ":" in host else f"{shown}:{port}"


def _seconds(seconds: float) -> str:
    if seconds < 1:
        return "less than a second"
    return f"{seconds:.0f} second{'' if round(seconds) == 1 else 's'}"


def _while(doing: str) -> str:
    return f" while {doing}" if doing else ""


def _technical(*parts: str) -> str:
    return "\n".join(dict.fromkeys(filter(None, parts)))
