"""The calls of the contract, a method each: the one door through which the program speaks HTTP."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from time import monotonic
from typing import TypeVar
from urllib.parse import quote, quote_plus, urlencode

import httpx
from pydantic import SecretStr

from tui import __version__
from tui.api import decode
from tui.api.address import AddressFault, BadAddress, Server
from tui.api.compression import readings
from tui.api.errors import ApiError, Forbidden, NotFound, Unauthorized, Unreadable, Unsendable
from tui.api.models import CreatedKey, Grant, Key, KeyDraft, KeyList, Token, TwoFactor, User
from tui.api.refusals import excerpt, read_entries, refusal, retry_after
from tui.api.transport import Answer, Call, Wire
from tui.text import short

ANSWER_CAP = 2**20
"""The most that any other answer may be, decoded, in bytes."""

PROBE_CAP = 2**16
"""How much of an answer to a probe is taken in, so as to keep the connection, in bytes."""

PAUSES = (1.0, 2.0, 4.0, 5.0)
"""How long is waited before a call is made again, in seconds; the last for all others."""

LEAST_SECONDS = 1.0
"""What of its deadline a call must have left to be made again, in seconds."""

BUSY_REPEATS = 2
"""How often a call is made again that is answered 503."""

SIGN_OUT_SECONDS = 5.0
"""How long signing out is waited for: it must never hold up leaving."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Content:
    """A request's body, and what in it must not come back in a text of the server."""

    type: str = ""
    text: str = ""
    secrets: tuple[SecretStr, ...] = ()

    def __repr__(self) -> str:
        return f"_Content({self.type!r})"


_NOTHING = _Content()


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What a probe brought: the status, after how many seconds, and how long it asks to wait."""

    status: int
    seconds: float
    retry_after: float | None = None


class Client:
    """One server, its calls, and the connections to it; `deadline` bounds each call, in seconds.

    Every method raises ApiError (tui.api.errors) and nothing else. A `credential` of None sends
    none, for servers whose authentication is switched off (contract 7).
    """

    def __init__(
        self,
        server: Server,
        *,
        deadline: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Raise BadAddress where secrets would travel in the clear without being allowed to."""
        if server.is_exposed and not server.plain_http_allowed:
            raise BadAddress(AddressFault.PLAIN_HTTP)
        self.server = server
        self.deadline = deadline
        self._wire = Wire(server, transport)
        self._repeating = asyncio.Lock()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._wire.aclose()

    async def grants(
        self, credential: SecretStr | None, role: str | None = None
    ) -> tuple[Grant, ...]:
        """Return what an API key may hold, or a person or subaccount with `role` (contract 3)."""
        query = f"?{urlencode({'role': role}, errors='replace')}" if role else ""
        answer = await self._call("GET", f"/authenticate/grants{query}", credential)
        return self._read(answer, decode.grants)

    async def password_grant(self, username: str, password: SecretStr, *, remember: bool) -> Token:
        """Sign a person in (contract 2); a refresh token comes only to those who `remember`.

        Raises SignInRefused, among others.
        """
        fields = {
            "grant_type": "password",
            "username": username,
            "password": password.get_secret_value(),
            "rememberMe": "true" if remember else "false",
        }
        return await self._authenticate(_form(fields, password))

    async def refresh(self, refresh: SecretStr) -> Token:
        """Return fresh tokens; the old refresh token stays where no new one comes (contract 2)."""
        fields = {"grant_type": "refresh_token", "refresh_token": refresh.get_secret_value()}
        return await self._authenticate(_form(fields, refresh), refresh)

    async def _authenticate(self, form: _Content, kept: SecretStr | None = None) -> Token:
        headers, secrets = {}, form.secrets
        if self.server.client_id:
            client = self.server.client_secret or SecretStr("")
            pair = _base64(f"{self.server.client_id}:{client.get_secret_value()}")
            headers["Authorization"] = f"Basic {pair}"
            secrets = (*secrets, client, SecretStr(pair))
        form = _Content(form.type, form.text, secrets)
        answer = await self._call("POST", "/authenticate", None, form, headers, sign_in=True)
        return self._read(answer, lambda body: decode.token(body, kept), holds_secret=True)

    async def sign_out(self, token: SecretStr, deadline: float = SIGN_OUT_SECONDS) -> None:
        """Have the server forget `token` (contract 2), within `deadline` seconds."""
        form = _form({"token": token.get_secret_value()}, token)
        path = "/authenticate/logout"
        await self._call("POST", path, token, form, deadline=deadline, may_repeat=True)

    async def user(self, username: str, credential: SecretStr | None) -> User:
        """Return an account by its user name or e-mail address (contract 2)."""
        answer = await self._call("GET", f"/users/{_segment(username, 'user name')}", credential)
        return self._read(answer, lambda body: decode.user(body, username))

    async def two_factor(self, username: str, credential: SecretStr | None) -> TwoFactor:
        """Return the state of an account's second factor; old servers know none (contract 2)."""
        path = f"/users/{_segment(username, 'user name')}/two-factor"
        try:
            answer = await self._call("GET", path, credential)
        except NotFound:
            return TwoFactor()
        return self._read(answer, decode.two_factor)

    async def verify_two_factor(
        self, username: str, code: SecretStr, credential: SecretStr | None
    ) -> None:
        """Pass the second factor with a code or a backup code (contract 2).

        Raises Invalid or Forbidden where the code is wrong, among others.
        """
        path = f"/users/{_segment(username, 'user name')}/two-factor"
        body = _json({"code": code.get_secret_value()}, code)
        await self._call("POST", path, credential, body)

    async def single_sign_on(self, username: str) -> bool:
        """Return whether an account has to sign in elsewhere; no where the server won't say."""
        try:
            answer = await self._call("GET", f"/users/{_segment(username, 'user name')}/saml", None)
        except (NotFound, Unauthorized, Forbidden):
            return False
        return self._read(answer, decode.single_sign_on)

    async def list_keys(self, credential: SecretStr | None) -> KeyList:
        """Return the keys of the primary account and of all subaccounts (contract 4)."""
        answer = await self._call("GET", "/api-keys", credential, cap=self.server.list_limit)
        listed = await asyncio.to_thread(self._read, answer, decode.keys)
        is_part = answer.status == 206 or re.search('rel="?next', answer.headers.get("link", ""))
        return replace(listed, is_whole=False) if is_part else listed

    async def key(
        self, key_id: str, credential: SecretStr | None, subaccount_id: int | None = None
    ) -> Key:
        """Return one key (contract 4); an answer about another one is Unreadable.

        Here and below, a key of a subaccount is reached only with its `subaccount_id`.
        """
        scope = _scope(subaccount_id)
        answer = await self._call("GET", _key_path(key_id), credential, headers=scope)
        key = self._read(answer, decode.key)
        if key.id != key_id:
            raise Unreadable(answer.status, "an answer about another key")
        return key

    async def create_key(self, draft: KeyDraft, credential: SecretStr | None) -> CreatedKey:
        """Create a key: sent once, never repeated, its secret saved from any answer that holds it.

        After an error whose `maybe_done` is true, the key may exist all the same (contract 5).
        """
        body, scope = _draft_body(draft), _scope(draft.subaccount_id)
        answer = await self._call("POST", "/api-keys", credential, body, scope, keep_cut=True)
        try:
            return decode.created(answer.body, draft)
        except decode.Malformed as malformed:
            failure = answer.cut or Unreadable(answer.status, malformed.reason)
        for reading in readings(answer.raw, ANSWER_CAP):
            with suppress(decode.Malformed):
                return decode.created(reading, draft)
        raise failure from None

    async def update_key(
        self,
        key_id: str,
        draft: KeyDraft,
        credential: SecretStr | None,
        subaccount_id: int | None = None,
    ) -> None:
        """Replace a key's label, grants and allowed IPs, all of them (contract 4)."""
        path, body = _key_path(key_id), _draft_body(draft)
        scope = _scope(subaccount_id)
        answer = await self._call("PUT", path, credential, body, scope, keep_cut=True)
        self._check_done(answer)

    async def delete_key(
        self, key_id: str, credential: SecretStr | None, subaccount_id: int | None = None
    ) -> None:
        """Delete a key; what uses it is refused from then on (contract 4)."""
        path, scope = _key_path(key_id), _scope(subaccount_id)
        answer = await self._call("DELETE", path, credential, headers=scope, keep_cut=True)
        self._check_done(answer)

    async def probe(
        self, method: str, path: str, secret: SecretStr, body: object | None = None
    ) -> ProbeAnswer:
        """Request `path` with a key's secret, and return the answer of any status (contract 6).

        Only what never came to a status is raised; of the answer's body nothing is read.
        """
        content = _NOTHING if body is None else _json(body)
        call = Call(
            method=method,
            url=f"{self.server.url}{self.server.prefix}{path}",
            headers=_headers(secret, content),
            content=content.text.encode("ascii"),
            deadline=self.deadline,
            cap=PROBE_CAP,
        )
        started = monotonic()
        answer = await self._wire.exchange(call)
        asked_to_wait = retry_after(answer.headers.get("retry-after", ""))
        return ProbeAnswer(answer.status, monotonic() - started, asked_to_wait)

    async def _call(
        self,
        method: str,
        path: str,
        credential: SecretStr | None,
        content: _Content = _NOTHING,
        headers: Mapping[str, str] | None = None,
        *,
        cap: int = ANSWER_CAP,
        deadline: float | None = None,
        sign_in: bool = False,
        keep_cut: bool = False,
        may_repeat: bool = False,
    ) -> Answer:
        """Make a call and return its 2xx answer, whole unless `keep_cut`; all else is raised.

        A GET, and what `may_repeat`, is made again while the server asks for fewer requests.
        """
        call = Call(
            method=method,
            url=f"{self.server.url}{self.server.prefix}{path}",
            headers=_headers(credential, content) | dict(headers or {}),
            content=content.text.encode("ascii"),
            deadline=self.deadline if deadline is None else deadline,
            cap=cap,
        )
        answer = await self._exchange_repeatedly(call, may_repeat=may_repeat or method == "GET")
        answer.sanitize = _sanitizer(*content.secrets, credential)
        if not 200 <= answer.status < 300:
            raise refusal(answer, sign_in=sign_in) from None
        if answer.cut is not None and not keep_cut:
            raise answer.cut from None
        return answer

    async def _exchange_repeatedly(self, call: Call, *, may_repeat: bool) -> Answer:
        """Make a call, again and again within its deadline where the server is asked too often.

        Calls that are made again go one by one, so that they do not get into each other's way.
        """
        started = monotonic()
        answer = await self._wire.exchange(call)
        if not may_repeat or _pause_before_repeat(answer, 0) is None:
            return answer
        async with self._repeating:
            for repeat in count():
                pause = _pause_before_repeat(answer, repeat)
                left = call.deadline - (monotonic() - started)
                if pause is None or pause + LEAST_SECONDS > left:
                    return answer
                await asyncio.sleep(pause)
                answer = await self._wire.exchange(replace(call, deadline=left - pause))
        return answer

    def _read(
        self, answer: Answer, decoded: Callable[[bytes], T], *, holds_secret: bool = False
    ) -> T:
        try:
            return decoded(answer.body)
        except decode.Malformed as malformed:
            failure = _unreadable(answer, malformed, holds_secret=holds_secret)
        raise failure from None

    def _check_done(self, answer: Answer) -> None:
        if answer.cut is None:
            self._read(answer, decode.check_done)


def _pause_before_repeat(answer: Answer, repeat: int) -> float | None:
    """Return for how long to wait before a call is made again, in seconds; None: not at all.

    A server says with 420 or 429 that it is asked too often; nginx does so with 503, which may
    also mean that something is down, so there it is given up sooner.
    """
    if answer.status not in {420, 429, 503} or (answer.status == 503 and repeat >= BUSY_REPEATS):
        return None
    pause = PAUSES[min(repeat, len(PAUSES) - 1)]
    return max(pause, retry_after(answer.headers.get("retry-after", "")) or 0)


def _unreadable(answer: Answer, malformed: decode.Malformed, *, holds_secret: bool) -> ApiError:
    shown = ""
    if not holds_secret:
        listed = read_entries(answer.body, answer.sanitize)
        shown = listed[0].message if listed else excerpt(answer.body, answer.sanitize)
    return Unreadable(answer.status, malformed.reason, shown)


def _headers(credential: SecretStr | None, content: _Content) -> dict[str, str]:
    """Return a call's headers; the session token travels raw, without `Bearer` (contract 2)."""
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": f"momentum-keys/{__version__}",
    }
    if content.type:
        headers["Content-Type"] = content.type
    if credential is not None:
        value = credential.get_secret_value()
        if not value or value != value.strip() or not (value.isascii() and value.isprintable()):
            raise Unsendable("credential")
        headers["Authorization"] = value
    return headers


def _sanitizer(*secrets: SecretStr | None) -> Callable[[str], str]:
    """Return what makes a text of the server safe to show, should it echo one of `secrets`."""

    def sanitize(text: str) -> str:
        forms = {form for secret in secrets if secret is not None for form in _forms(secret)}
        longest_first = sorted(filter(None, forms), key=len, reverse=True)
        hidden = "|".join(map(re.escape, longest_first))
        return short(re.sub(hidden, "•••", text, flags=re.IGNORECASE) if hidden else text)

    return sanitize


def _forms(secret: SecretStr) -> Iterator[str]:
    """Give a secret as it is, and as forms, paths, JSON and web pages write it."""
    from html import escape  # hardly ever needed

    value = secret.get_secret_value()
    yield value
    yield from (encode(value, safe="", errors="replace") for encode in (quote, quote_plus))
    yield from (json.dumps(value, ensure_ascii=is_ascii)[1:-1] for is_ascii in (True, False))
    yield from (escape(value, quote=has_quotes) for has_quotes in (True, False))


def _segment(text: str, what: str) -> str:
    """Return `text` as one segment of a path; `.` and `..` would lead elsewhere, so Unsendable."""
    try:
        segment = quote(text, safe="")
    except UnicodeEncodeError:
        segment = ""
    if segment in {"", ".", ".."}:
        raise Unsendable(what) from None
    return segment


def _key_path(key_id: str) -> str:
    return f"/api-keys/{_segment(key_id, 'id')}"


def _scope(subaccount_id: int | None) -> dict[str, str]:
    """Return the header that makes a call reach a subaccount's key; without, none is reached."""
    return {} if subaccount_id is None else {"X-MSYS-SUBACCOUNT": str(subaccount_id)}


def _form(fields: Mapping[str, str], secret: SecretStr) -> _Content:
    try:
        text = urlencode(fields)
    except UnicodeEncodeError:
        text = ""
    if not text:
        raise Unsendable("user name or password") from None
    return _Content("application/x-www-form-urlencoded", text, (secret,))


def _json(value: object, *secrets: SecretStr) -> _Content:
    return _Content("application/json", json.dumps(value, separators=(",", ":")), secrets)


def _draft_body(draft: KeyDraft) -> _Content:
    return _json(
        {"label": draft.label, "grants": draft.grants, "valid_ips": draft.valid_ips},
    )


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
