"""The session with a server: signing in, renewing the token, signing out (contract 2)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from hmac import compare_digest
from typing import TYPE_CHECKING, TypeVar

from tui.api.errors import (
    ApiError,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    Refused,
    ServerFailed,
    SignInRefused,
    Unauthorized,
    Unreadable,
)
from tui.api.models import Grant, KeyList, Token, User

if TYPE_CHECKING:
    from pydantic import SecretStr

    from tui.api.client import Client

T = TypeVar("T")

_NOT_OF_THE_SESSION = (ServerFailed, RateLimited)
"""Refusals of a renewal that say nothing about the session."""

AskCode = Callable[[str], Awaitable["SecretStr | None"]]
"""Asks for a two-factor code, given what was wrong with the last one; None: given up."""


class SessionProblem(Exception):
    """Base of what can end a session's errand besides the server's own errors."""


class SingleSignOn(SessionProblem):
    """The account signs in through its organisation, so a password is no use (contract 2)."""


class NoKeyManagement(SessionProblem):
    """The server has no keys to manage, as an MTA-only installation (contract 7)."""


class EnrolmentRequired(SessionProblem):
    """The account must have a second factor and has none yet; a browser is needed for that."""


class GivenUp(SessionProblem):
    """The operator did not enter the code or password that was asked for."""


class SessionEnded(SessionProblem):
    """The server no longer knows the session, and the operator did not sign in again."""


class Session:
    """One server, and the person signed in there."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.user: User | None = None
        self.has_password = False
        self.is_open = False
        """Whether the server was entered without signing in (contract 7)."""
        self.ask_again: Callable[[], Awaitable[bool]] | None = None
        """Has the operator sign in again when the server has ended the session; False: declined."""
        self._token: Token | None = None
        self._grants_ahead: asyncio.Task[tuple[Grant, ...]] | None = None
        self._keys_ahead: asyncio.Task[KeyList] | None = None
        self._discarding = set[asyncio.Task[bool]]()
        self._renewal = asyncio.Lock()
        self._failed_renewals = 0
        self._failure: ApiError | SessionEnded = SessionEnded()
        """Why the last of the failed renewals failed."""

    async def is_enforced(self) -> bool:
        """Find out whether the server wants to know who is calling (contract 7).

        Raises:
            NoKeyManagement: it has no keys at all.
            ApiError: it could not be asked.
        """
        try:
            await self.client.grants(None)
        except (Unauthorized, Forbidden):
            return True
        except NotFound:
            raise NoKeyManagement from None
        return False

    def enter_open(self) -> None:
        """Go on without signing in, where authentication is switched off (contract 7)."""
        self.is_open = True

    async def sign_in(
        self,
        username: str,
        password: SecretStr,
        ask_code: AskCode,
        *,
        reads_ahead: bool = False,
    ) -> None:
        """Sign in with a password and, where the account has it, a second factor (contract 2).

        With `reads_ahead`, grants and keys are asked for together with the account, and the first
        `grants` and `list_keys` wait for those answers.

        Raises:
            SingleSignOn: the account cannot use a password.
            EnrolmentRequired: a second factor has to be set up in a browser first.
            GivenUp: no code was entered.
            ApiError: the server refused, or could not be asked.
        """
        try:
            token = await self.client.password_grant(username, password, remember=True)
        except SignInRefused as refusal:
            if refusal.error == "invalid_grant" and await self._is_single_sign_on(username):
                raise SingleSignOn from None
            raise
        try:
            user = await self._complete(username, token.access, ask_code, reads_ahead=reads_ahead)
        except (ApiError, SessionProblem, asyncio.CancelledError):
            await self._stop_reading_ahead()
            await self._invalidate(token)
            raise
        self._token, self.user, self.has_password = token, user, True

    async def enter_with_token(self, username: str, access: SecretStr) -> None:
        """Go on with an access token made elsewhere, as single sign-on accounts must (contract 2).

        Raises:
            ApiError: the server refused the token, or could not be asked.
        """
        await self.client.grants(access)
        self.user = await self._read_user(username, access) if username else None
        self._token, self.has_password = Token(access, None), False

    async def sign_in_again(self, proof: SecretStr, ask_code: AskCode) -> None:
        """Go on as the same person, with the password or, without one, a new access token.

        Raises what `sign_in` and `enter_with_token` raise.
        """
        username = self.user.username if self.user else ""
        if self.has_password:
            await self.sign_in(username, proof, ask_code)
        else:
            await self.enter_with_token(username, proof)

    async def call(self, request: Callable[[SecretStr | None], Awaitable[T]]) -> T:
        """Make a request as the person signed in; a session that has ended is renewed once.

        A 401 says that nothing was done, so writes are repeated after it as well.

        Raises:
            SessionEnded: the operator declined to sign in again.
            ApiError: the server refused, or could not be asked.
        """
        token, failed_renewals = self._token, self._failed_renewals
        try:
            return await request(token.access if token else None)
        except Unauthorized:
            if self.is_open:
                raise
        await self._renew(token, failed_renewals)
        token = self._token
        return await request(token.access if token else None)

    async def list_keys(self, credential: SecretStr | None) -> KeyList:
        """Return all keys (contract 4), the first time those that were read ahead, if any."""
        ahead, self._keys_ahead = self._keys_ahead, None
        return await (ahead or self.client.list_keys(credential))

    async def grants(
        self, credential: SecretStr | None, role: str | None = None
    ) -> tuple[Grant, ...]:
        """Return what a key may hold (contract 3); without a `role` first what was read ahead."""
        if role is not None:
            return await self.client.grants(credential, role)
        ahead, self._grants_ahead = self._grants_ahead, None
        return await (ahead or self.client.grants(credential))

    async def check_password(self, password: SecretStr) -> Token:
        """Have the server check the account's password, as a create wants it (contract 2).

        Returns the throw-away token of the check, which the caller hands to `discard`.

        Raises:
            SignInRefused: the password is wrong.
            ApiError: the server could not be asked.
        """
        username = self.user.username if self.user else ""
        return await self.client.password_grant(username, password, remember=False)

    def is_access_token(self, credential: SecretStr) -> bool:
        """Tell whether this is the access token that the session uses, in constant time."""
        token = self._token.access.get_secret_value() if self._token else ""
        given = credential.get_secret_value()
        return bool(token) and compare_digest(token.encode(), given.encode("utf-8", "replace"))

    def discard(self, token: Token) -> None:
        """Have a token that is needed no more signed out; only `sign_out` waits for it.

        A server may have answered the check with what the session itself uses: that stays.
        """
        in_use = self._token
        task = asyncio.create_task(self._invalidate(token, in_use))
        self._discarding.add(task)
        task.add_done_callback(self._discarding.discard)

    async def sign_out(self) -> bool:
        """End the session on the server; returns whether the server confirmed that it has ended.

        The program forgets its credentials either way: a failure never blocks leaving.
        """
        token, self._token = self._token, None
        self.user = None
        ended = token is None or await self._invalidate(token)
        await asyncio.gather(*self._discarding)
        return ended

    async def close(self) -> None:
        """Close the connections."""
        for task in self._discarding:
            task.cancel()
        try:
            await self._stop_reading_ahead()
            await asyncio.gather(*self._discarding, return_exceptions=True)
        finally:
            await self.client.aclose()

    async def _renew(self, stale: Token | None, failed_renewals: int) -> None:
        """Get another token, once for all calls that were under way with the `stale` one.

        Where that fails, it fails for all of them: `failed_renewals` is how many there had been
        when the call began.
        """
        async with self._renewal:
            if self._token is not stale:
                return
            if self._failed_renewals > failed_renewals:
                raise self._failure.with_traceback(None)
            try:
                self._token = await self._renewed(stale)
            except (ApiError, SessionEnded) as error:
                self._failed_renewals += 1
                self._failure = error
                raise

    async def _renewed(self, stale: Token | None) -> Token | None:
        """Return what takes the place of the `stale` token: by refreshing, else by signing in."""
        if stale is not None and stale.refresh is not None:
            try:
                return await self.client.refresh(stale.refresh)
            except ApiError as error:
                if not isinstance(error, Refused) or isinstance(error, _NOT_OF_THE_SESSION):
                    # Of the request nothing was done, whatever became of the renewal.
                    error.maybe_done = False
                    raise
        if self.ask_again is None or not await self.ask_again():
            raise SessionEnded
        return self._token

    async def _is_single_sign_on(self, username: str) -> bool:
        try:
            return await self.client.single_sign_on(username)
        except ApiError:
            return False  # the refusal that led here is what the operator gets to read

    async def _read_user(self, username: str, access: SecretStr) -> User:
        """Return the account, or the typed name alone: not everybody may read accounts."""
        try:
            return await self.client.user(username, access)
        except Unreadable:
            pass
        except Refused as error:
            if isinstance(error, Unauthorized | RateLimited | ServerFailed):
                raise
        return User(username)

    def _read_ahead(self, access: SecretStr) -> None:
        self._grants_ahead = asyncio.create_task(self.client.grants(access))
        self._keys_ahead = asyncio.create_task(self.client.list_keys(access))

    async def _stop_reading_ahead(self) -> None:
        """Forget what was read ahead, and stop what is being read."""
        reading = [task for task in (self._grants_ahead, self._keys_ahead) if task is not None]
        self._grants_ahead = self._keys_ahead = None
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)

    async def _complete(
        self, username: str, access: SecretStr, ask: AskCode, *, reads_ahead: bool
    ) -> User:
        """Pass the second factor, then read the account.

        In this order: until the code is given, a token may be good for nothing else (contract 2).
        """
        had_factor = await self._pass_second_factor(username, access, ask)
        if reads_ahead:
            self._read_ahead(access)
        user = await self._read_user(username, access)
        # Where an e-mail address was typed, the server may not have known the factor by it.
        is_asked_by_name = not had_factor and user.username != username
        if is_asked_by_name and await self._pass_second_factor(user.username, access, ask):
            await self._stop_reading_ahead()  # the server may have refused it without the code
        return user

    async def _pass_second_factor(self, username: str, access: SecretStr, ask: AskCode) -> bool:
        """Ask for codes until one is accepted; returns False where the account has no factor."""
        factor = await self.client.two_factor(username, access)
        if not factor.enabled:
            if factor.required:
                raise EnrolmentRequired
            return False
        refusal = ""
        while True:
            code = await ask(refusal)
            if code is None:
                raise GivenUp
            try:
                await self.client.verify_two_factor(username, code, access)
            except (Invalid, Forbidden) as error:
                refusal = error.entries[0].message if error.entries else "The code is wrong."
            else:
                return True

    async def _invalidate(self, token: Token, in_use: Token | None = None) -> bool:
        """Sign both parts of a token out, but never what the session uses or has `in_use`."""
        kept = {
            part for held in (in_use, self._token) if held for part in (held.access, held.refresh)
        }
        parts = dict.fromkeys((token.access, token.refresh))
        ended = await asyncio.gather(
            *(
                self._end(part, is_access=part == token.access)
                for part in parts
                if part is not None and part not in kept
            )
        )
        return all(ended)

    async def _end(self, part: SecretStr, *, is_access: bool) -> bool:
        """Sign one part of a token out; return whether it is known to be of no use any more."""
        try:
            await self.client.sign_out(part)
        except Unauthorized:
            return is_access  # a refresh token may be good for a renewal all the same
        except ApiError:
            return False
        return True
