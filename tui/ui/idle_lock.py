"""The idle lock: when it hides the screens, and how they come back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.text import short
from tui.waiting import Alarm, clock_in_sleep

if TYPE_CHECKING:
    from pydantic import SecretStr

    from tui.api.session import Session
    from tui.ui.screens.lock import LockScreen


class IdleLock:
    """Locks the screens of who is signed in, after `after_seconds` without a key; 0: never.

    `session` returns the session of now, and `show` puts the lock above whatever is shown.
    """

    def __init__(
        self, session: Callable[[], Session | None], show: Callable[[LockScreen], object]
    ) -> None:
        self._session, self._show = session, show
        self.after_seconds = 0.0
        self.is_locked = False
        self._alarm: Alarm | None = None
        self._last_key_at = clock_in_sleep()

    def note_key(self) -> None:
        """Count the time without a key from now on."""
        self._last_key_at = clock_in_sleep()

    @property
    def seconds_left(self) -> float | None:
        """In how many seconds the screens are locked if no key comes; None: not at all."""
        session = self._session()
        if self.is_locked or session is None or session.is_open or not self.after_seconds:
            return None
        return self.after_seconds - (clock_in_sleep() - self._last_key_at)

    def lock_when_due(self) -> None:
        """Lock once it is time; look again when that may be."""
        session, left = self._session(), self.seconds_left
        if session is None or left is None:
            return
        if left <= 0:
            self.is_locked = True
            self._show(self._screen(session))
            return
        if self._alarm is None:
            self._alarm = Alarm(self.lock_when_due)
        self._alarm.set(left)

    def screen_above(self, screen: object) -> LockScreen | None:
        """Return what hides a screen that opens while all is locked, or nothing."""
        session = self._session()
        if not self.is_locked or session is None:
            return None
        from tui.ui.screens.lock import LockScreen

        return None if isinstance(screen, LockScreen) else self._screen(session)

    def lift(self) -> None:
        """Be locked no more, as all screens are gone."""
        self.is_locked = False

    def close(self) -> None:
        """Lock no screen any more."""
        if self._alarm is not None:
            self._alarm.close()

    def _screen(self, session: Session) -> LockScreen:
        from tui.ui.screens.lock import LockScreen

        who = short(session.user.name, 40) if session.user else "the operator"
        credential = "Password" if session.has_password else "Access token"
        return LockScreen(who, credential, self._unlock, lambda: self.is_locked)

    async def _unlock(self, credential: SecretStr) -> bool:
        """Have the server check the password; a token is compared with the session's own."""
        session = self._session()
        if session is not None and session.has_password:
            session.discard(await session.check_password(credential))
        elif session is not None and not session.is_access_token(credential):
            return False
        self.is_locked = False
        self.lock_when_due()
        return True
