"""The application: first screen, keys that work everywhere, an orderly way out."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from rich.color import ColorSystem
from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.scrollbar import ScrollBar, ScrollBarRender

from tui.config.known_servers import KnownServers
from tui.text import short
from tui.ui.appearance import Appearance
from tui.ui.bindings import HasPlace, Place, bindings_for, drawn_keys, key_name
from tui.ui.idle_lock import IdleLock
from tui.ui.loading import Loader
from tui.ui.screens.leaving import GuardedScreen, StoppableScreen
from tui.ui.screens.login import UNPROTECTED, LoginScreen, SignInDefaults, defaults_of
from tui.ui.terminal.driver import TerminalDriver
from tui.ui.terminal.textual_internals import CachedStylesheet, limit_colours, make_replaceable
from tui.ui.terminal.type_ahead import TypeAhead
from tui.ui.themes import CHOICES, FEW_COLOURS, theme
from tui.ui.widgets.too_small import SMALLEST
from tui.waiting import all_seen_through

if TYPE_CHECKING:
    from pydantic import SecretStr
    from textual.driver import Driver
    from textual.screen import Screen

    from tui.api.address import Server
    from tui.api.session import Session
    from tui.config.profile import Profile
    from tui.delivery.recovery import RecoveryFolder
    from tui.journal import Journal
    from tui.keys.unstored_secrets import UnstoredSecrets
    from tui.ui.screens.palette import Entry
    from tui.ui.screens.welcome import WelcomeScreen

LEAVE_SECONDS = 2.0
"""How long signing out may keep the operator from leaving, in seconds."""
FORCED_LEAVE_SECONDS = 1.0
"""The same where a signal ends the program, or its terminal is gone; writes are seen through."""

LOCK_SECONDS = 15 * 60.0
"""After so many seconds without a key the screen is locked, unless the operator says otherwise."""
SHORT, SLIM = 20, 60
"""Below so many rows, or columns, the screens do without blanks, as their style sheets tell."""
TALL = 30
"""From so many rows on, buttons stand beneath what they belong to, not at the bottom."""


class BlankEnds(ScrollBarRender):
    """A scrollbar whose ends are whole cells, which needs no signs."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "]
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "]


ScrollBar.renderer = BlankEnds


class Loop(asyncio.SelectorEventLoop):
    """The event loop, whose end doesn't wait for the look-up of a name: nothing can stop that.

    `on_fault` hears of exceptions in callbacks and forgotten tasks.
    """

    def __init__(self, on_fault: Callable[[BaseException | None], None]) -> None:
        super().__init__()
        self.set_exception_handler(lambda _, context: on_fault(context.get("exception")))

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  # as asyncio has it
        """Leave it to `close`, which has the threads end but waits for none."""


class KeysApp(TypeAhead[None]):
    """momentum-keys; `defaults` fill in the login screen, `now` is the clock in UTC.

    Without a `journal`, what was done is remembered only as long as the program runs; without a
    `recovery` folder, a secret that was not stored is lost where the program is ended. With
    `keeps_at_home`, both are those of the user, the journal in a `journal_file` of its own if any.
    """

    TITLE = "momentum-keys"
    CSS_PATH: ClassVar[list[str | PurePath]] = [
        "app.tcss",
        "screens/login.tcss",
        "screens/welcome.tcss",
    ]
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(Place.ANYWHERE))

    def __init__(
        self,
        defaults: SignInDefaults | None = None,
        *,
        now: Callable[[], datetime] | None = None,
        journal: Journal | None = None,
        recovery: RecoveryFolder | None = None,
        keeps_at_home: bool = False,
        journal_file: Path | None = None,
        lock_seconds: float | None = None,
        appearance: Appearance | None = None,
        servers: KnownServers | None = None,
    ) -> None:
        """Lock the screen after `lock_seconds` without a key; None: as usual, 0: never.

        What a server's profile settles counts more, and so it does than the `appearance`. Without
        `defaults`, the first of the `servers` stands in the form.
        """
        super().__init__()
        self.stylesheet = CachedStylesheet(variables=self.get_css_variables())
        self._servers = servers or KnownServers()
        self._usual_lock_seconds = LOCK_SECONDS if lock_seconds is None else lock_seconds
        self._idle_lock = IdleLock(lambda: self._session, self.push_screen)
        self.key_map: Mapping[str, str] = {}
        """The keys that the configuration gives to commands, by their ids."""
        self._defaults = defaults or defaults_of(self._servers.first or self._servers.general)
        self._is_first_start = defaults is None and servers is not None and servers.is_empty
        self._has_to_choose = defaults is None and self._servers.first is None
        self._now = now or (lambda: datetime.now(UTC))
        self._given_journal, self._given_recovery = journal, recovery
        self._keeps_at_home, self._journal_file = keeps_at_home, journal_file
        self._loader = Loader(lambda: self.typed_ahead > 0)
        self._session: Session | None = None
        self._leaving = self._ending = False
        self._unconfirmed_sign_outs = set[str]()
        """The addresses of servers that perhaps keep a session."""
        self.animation_level = "none"
        self._usual_appearance = appearance or Appearance()
        self._profile: Profile | None = None
        self.take_on(self._usual_appearance)

    @cached_property
    def _journal(self) -> Journal:
        from tui.journal import Journal, journal_at_home

        if self._keeps_at_home and self._given_journal is None:
            return Journal(self._journal_file) if self._journal_file else journal_at_home()
        return self._given_journal or Journal(None, now=self._now)

    @cached_property
    def unstored_secrets(self) -> UnstoredSecrets:
        """The secrets that exist and are not stored yet."""
        from tui.delivery.recovery import RecoveryFolder
        from tui.keys.unstored_secrets import UnstoredSecrets

        at_home = RecoveryFolder() if self._keeps_at_home else RecoveryFolder({})
        return UnstoredSecrets(self._given_recovery or at_home, now=self._now)

    def take_on(self, appearance: Appearance) -> None:
        """Draw in this theme and these colours."""
        self._appearance = appearance
        has_256_colours = appearance.colours is ColorSystem.EIGHT_BIT
        self.register_theme(theme(appearance.theme, has_256_colours=has_256_colours))
        self.theme = appearance.theme
        self.has_plain_signs = appearance.is_ascii
        self.sends_all = appearance.sends_all
        limit_colours(self, appearance.colours)
        has_few_colours = appearance.theme in FEW_COLOURS or appearance.colours is None
        self.set_class(has_few_colours, "-few-colours")

    def _take_key_map(self, key_map: Mapping[str, str]) -> None:
        """Give commands other keys, by their ids; they were checked with the configuration."""
        from tui.ui.key_map import for_textual

        self.key_map = key_map
        self.set_keymap(for_textual(key_map))

    def get_key_display(self, binding: Binding) -> str:
        """Return the key of a binding as a person reads it."""
        return drawn_keys(binding.key_display or key_name(binding.key), self)

    def get_driver_class(self) -> type[Driver]:
        """Return what reads from the terminal and writes to it."""
        return TerminalDriver

    def get_default_screen(self) -> Screen[None]:
        """Return the screen that is shown first."""
        first: Screen[None]
        if self._is_first_start:
            from tui.ui.screens.welcome import WelcomeScreen

            first = WelcomeScreen(plain_http_allowed=self._defaults.plain_http_allowed)
        else:
            first = LoginScreen(self._defaults, self.connect, self.connect_in_pauses)
        make_replaceable(self, first)
        return first

    def on_mount(self) -> None:
        """Look as the first server's profile says, and have one chosen where none is meant."""
        self._take_on_profile(self._defaults.profile)
        if self._has_to_choose:
            self.action_switch_server()

    def on_unmount(self) -> None:
        """Lock no screen any more."""
        self._idle_lock.close()

    async def on_event(self, event: events.Event) -> None:
        """Note when keys come."""
        if isinstance(event, events.Key | events.Paste | events.MouseDown):
            self.note_key()
        await super().on_event(event)

    @property
    def seconds_to_lock(self) -> float | None:
        """In how many seconds all is hidden if no key comes; None: not at all."""
        return self._idle_lock.seconds_left

    def note_key(self) -> None:
        """Note that somebody is there."""
        self._idle_lock.note_key()
        self._loader.begin()

    def push_screen(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401  # as App has it, six times
        """Show a screen; what opens while the screen is locked waits behind the lock."""
        outcome = super().push_screen(*args, **options)
        if (lock := self._idle_lock.screen_above(args[0])) is not None:
            super().push_screen(lock)
        return outcome

    def on_resize(self, event: events.Resize) -> None:
        """Tell the style sheets how much room there is."""
        width, height = event.size
        self.set_class(height < SHORT, "-short")
        self.set_class(height >= TALL, "-tall")
        self.set_class(width < SLIM, "-slim")
        self.set_class(width < SMALLEST.width or height < SMALLEST.height, "-tiny")

    async def connect(self, server: Server) -> Session:
        """Return a session with a server, nobody signed in yet."""
        await self._loader.finish()
        return _session_with(server)

    async def connect_in_pauses(self, server: Server) -> Session:
        """Return such a session once its modules were loaded while no key waited."""
        await self._loader.client_is_loaded.wait()
        return _session_with(server)

    @on(LoginScreen.SignedIn)
    def _signed_in(self, event: LoginScreen.SignedIn) -> None:
        from tui.keys.service import KeyService
        from tui.ui.screens.keys import KeysScreen

        session = self._session = event.session
        session.ask_again = self._sign_in_again
        server, address = session.client.server, _address(session)
        profile = self._defaults.profile
        if not event.is_of_profile:
            profile = replace(self._servers.general, url=server.url)
            self._take_on_profile(profile)
        who = f"{session.user.name}@{address}" if session.user else address
        who = " · ".join(filter(None, (profile.name, "read-only" * profile.read_only, who)))
        notices = [self._defaults.notice]
        if session.is_open:
            notices.append("Authentication is switched off here: API keys are not being enforced.")
        if server.is_exposed:
            notices.append(UNPROTECTED)
        notice = "\n".join(filter(None, notices))
        self._journal.prepare()
        service = KeyService(
            session, self._journal, self.unstored_secrets, is_read_only=profile.read_only
        )
        last_used = self._servers.last_used
        user = session.user.username if session.user else profile.user
        last_used.note_sign_in(server.url, name=profile.name, user=user)
        from tui.config.last_used import DeliveryMemory

        memory = DeliveryMemory(last_used, server.url, profile.deliver)
        self._start_over_with(
            KeysScreen(service, self._now, short(who, 60), notice, profile, memory)
        )
        self._idle_lock.lock_when_due()

    def on_keys_screen_signed_out(self) -> None:
        """Start over at once, and sign out on the server meanwhile."""
        self._sign_out_and_go_to(self._defaults)

    def _sign_out_and_go_to(self, defaults: SignInDefaults) -> None:
        session, self._session = self._session, None
        login = self._show_login(defaults)
        sign_out = self._sign_out_behind(login, session)
        self.run_worker(sign_out, group="sign out", description="sign out")

    async def _sign_out_behind(self, login: LoginScreen, session: Session | None) -> None:
        is_confirmed = await self._end_session(session, LEAVE_SECONDS)
        if session is not None and is_confirmed is not None:
            login.call_later(login.show_sign_out, _address(session), is_confirmed)

    def _show_login(self, defaults: SignInDefaults) -> LoginScreen:
        """Have the operator sign in, in the colours of that server."""
        self._defaults = defaults
        self._take_on_profile(defaults.profile)
        login = LoginScreen(defaults, self.connect, self.connect_in_pauses)
        self._start_over_with(login)
        return login

    def _take_on_profile(self, profile: Profile) -> None:
        """Look, lock and answer to keys as a server's profile says."""
        if profile == self._profile:
            return  # the operator may have chosen another theme since
        last_color, self._profile = self._profile.color if self._profile else "", profile
        look = self._usual_appearance
        self.take_on(look.in_theme(profile.theme) if profile.theme else look)
        self._take_key_map(profile.keys)
        usual = self._usual_lock_seconds
        self._idle_lock.after_seconds = usual if profile.lock_after is None else profile.lock_after
        for color, is_shown in ((last_color, False), (profile.color, True)):
            if color:
                self.set_class(is_shown, "-bar", f"-bar-{color}")

    def on_welcome_screen_named(self, event: WelcomeScreen.Named) -> None:
        """Go on with the server that was named."""
        self._show_login(defaults_of(replace(self._servers.general, url=event.url)))

    @work(group="leave", description="choose another server")
    async def action_switch_server(self) -> None:
        """Have another server chosen, and sign out of this one, unless something would be lost."""
        from tui.ui.screens.servers import ServersScreen

        if self._leaving or self._idle_lock.is_locked or isinstance(self.screen, ServersScreen):
            return
        warning = ""
        if self._session is not None:
            warning = f"Choosing one signs you out of {short(_address(self._session), 60)}."
        servers = self._servers
        ask = ServersScreen(servers.choices(), servers.general, warning)
        chosen = await self.push_screen_wait(ask)
        if chosen is not None:
            await self._go_to_server(chosen)

    async def _go_to_server(self, profile: Profile) -> None:
        """Sign out, unless something would be lost, and have the operator sign in there."""
        if not self._leaving and await self._may_leave():
            self._sign_out_and_go_to(defaults_of(profile))

    def _start_over_with(self, screen: Screen[None]) -> None:
        """Show `screen`; all others are gone, with whatever was typed there."""
        self._idle_lock.lift()
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.switch_screen(screen)

    @work(group="leave", description="leave")
    async def action_leave(self) -> None:
        """Sign out and leave; whatever would be lost is asked about first."""
        if self._leaving or self._idle_lock.is_locked:
            return
        self._leaving = True
        try:
            if await self._may_leave():
                await self._sign_out(LEAVE_SECONDS)
                self.exit()
        finally:
            self._leaving = False

    async def _may_leave(self) -> bool:
        """Return whether nothing would be lost, after asking where something would."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, GuardedScreen) and not await screen.may_leave():
                return False
        return True

    def end_at_once(self, number: signal.Signals) -> None:
        """Leave without asking: there may be nobody left to answer."""
        self.hear_no_more()
        if not self._ending:
            self._ending = True
            leave = self._leave_at_once(128 + number)
            self.run_worker(leave, group="end", description="leave at once")

    async def _leave_at_once(self, exit_code: int) -> None:
        self.unstored_secrets.hold()
        await self.unstored_secrets.keep()
        for screen in self.screen_stack:
            if isinstance(screen, StoppableScreen):
                screen.stop_at_once()
        await all_seen_through()
        await self._sign_out(FORCED_LEAVE_SECONDS)
        self.exit(return_code=exit_code)

    async def see_out(self) -> str:
        """See all writes through once the program has ended, by a fault perhaps; keep the secrets.

        Returns what the operator has to know of them, or nothing.
        """
        if self.unstored_secrets.is_ending:
            await self.unstored_secrets.keep()
        await all_seen_through()
        if self.unstored_secrets.is_ending:
            await self.unstored_secrets.keep()
        await self._journal.settled()
        lines = [self.unstored_secrets.outcome]
        if self._unconfirmed_sign_outs:
            from tui.problems import unconfirmed_sign_out

            problems = map(unconfirmed_sign_out, sorted(self._unconfirmed_sign_outs))
            lines += [f"{problem.title}. {problem.detail}" for problem in problems]
        return "\n".join(filter(None, lines))

    async def _sign_out(self, patience: float) -> None:
        """End the session, and see those out that are being ended already."""
        session, self._session = self._session, None
        await asyncio.gather(
            self._end_session(session, patience), self._wait_for("sign out", patience)
        )

    async def _wait_for(self, group: str, patience: float) -> None:
        """Wait until what is under way is done; it is not given up when patience is."""
        under_way = [w.wait() for w in self.workers if w.group == group and w.is_running]
        ended = asyncio.gather(*under_way, return_exceptions=True)
        await asyncio.wait({ended}, timeout=patience)

    @work(group="help", description="choose from the help")
    async def action_help(self) -> None:
        """Show every key, those of what has the focus first; do what is chosen, if anything."""
        from tui.ui.screens.help import HelpScreen
        from tui.ui.screens.possible_actions import possible_actions

        screen = self.screen
        if isinstance(screen, HelpScreen):
            screen.dismiss(None)
        if self._idle_lock.is_locked or isinstance(screen, HelpScreen):
            return
        nodes = (self.focused or screen).ancestors_with_self
        places = dict.fromkeys(node.PLACE for node in nodes if isinstance(node, HasPlace))
        actions = [a for a in possible_actions(screen) if a.binding.action != "help"]
        action = await self.push_screen_wait(HelpScreen([*places], actions, self.key_map))
        if action is not None:
            await action.run()

    def action_manual(self) -> None:
        """Open the manual at its contents."""
        self._open_manual("")

    def _open_manual(self, name: str, block: int = 0) -> None:
        """Open a page of the manual, at a block; a manual that is open is left for it."""
        from tui.ui.screens.manual import ManualScreen

        if self._idle_lock.is_locked:
            return
        if isinstance(self.screen, ManualScreen):
            self.pop_screen()
        self.push_screen(ManualScreen(name, self.key_map, block))

    @work(group="palette", description="choose from the palette")
    async def action_palette(self) -> None:
        """Offer all that can be done now, and do what is chosen; once more closes it."""
        from tui.ui.screens.palette import KeyChoice, PaletteScreen

        screen = self.screen
        if isinstance(screen, PaletteScreen):
            screen.dismiss(None)
        if self._idle_lock.is_locked or isinstance(screen, PaletteScreen):
            return
        choice = screen if isinstance(screen, KeyChoice) else None
        entry = await self.push_screen_wait(PaletteScreen(self._palette_entries(), choice))
        if entry is not None:
            doing = entry.run()
            if doing is not None:
                await doing

    def _palette_entries(self) -> list[Entry]:
        """Return what the palette offers on the screen of now, apart from keys and requests."""
        from tui.manual import answered_errors, topics
        from tui.ui.screens.palette import Entry
        from tui.ui.screens.possible_actions import possible_actions

        entries = [
            Entry(drawn_keys(key_name(action.binding.key), self), action.title, action.run)
            for action in possible_actions(self.screen)
            if action.binding.action != "palette"
        ]
        entries += [
            Entry(
                "server",
                " ".join(filter(None, (server.name, short(server.url, 60)))),
                partial(self._go_to_server, server),
            )
            for server in self._servers.choices()
        ]
        entries += [
            Entry("manual", topic.title, partial(self._open_manual, topic.name))
            for topic in topics()
        ]
        entries += [
            Entry("theme", name, partial(self._take_theme, name))
            for name in CHOICES
            if self._appearance.in_theme(name).theme != self.theme
        ]
        entries += [
            Entry("error", sentence, partial(self._open_manual, "errors", block))
            for block, sentence in answered_errors()
        ]
        return entries

    def _take_theme(self, name: str) -> None:
        self.take_on(self._appearance.in_theme(name))

    def action_scroll(self, lines: int, pages: int) -> None:
        """Scroll what does not fit, where no widget takes the keys for itself."""
        for page in self.screen.query(VerticalScroll):
            if page.allow_vertical_scroll:
                by = lines + pages * page.size.height
                page.scroll_relative(y=by, animate=False, immediate=True)
                return

    @property
    def _long_facts(self) -> VerticalScroll | None:
        """The facts at the right of the screen, where they do not fit."""
        for pane in self.screen.walk_children(VerticalScroll):
            if pane.has_class("beside") and pane.display and pane.allow_vertical_scroll:
                return pane
        return None

    def action_scroll_facts(self, lines: int) -> None:
        """Scroll the facts at the right of a wide screen."""
        if (pane := self._long_facts) is not None:
            pane.scroll_relative(y=lines, animate=False, immediate=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to scroll the facts only where there are more of them."""
        return action != "scroll_facts" or self._long_facts is not None

    async def _end_session(self, session: Session | None, patience: float) -> bool | None:
        """Sign out on the server, which never keeps the operator from leaving.

        Returns whether the server confirmed it within `patience` seconds; None without a session.
        """
        if session is None:
            return None
        is_confirmed = session.is_open  # then there is nothing to sign out of
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    is_confirmed = await session.sign_out()
        finally:
            if not is_confirmed:
                self._unconfirmed_sign_outs.add(_address(session))
            await session.close()
        return None if session.is_open else is_confirmed

    async def _sign_in_again(self) -> bool:
        """Ask for the password on top of whatever is shown; work goes on there."""
        from tui.api.errors import ApiError
        from tui.api.session import SessionProblem
        from tui.problems import describe
        from tui.ui.screens.dialog import AskPasswordScreen, AskSecretScreen

        session, refusal = self._session, ""
        while session is not None:
            name = session.user.name if session.user else ""
            body = Content.assemble(
                "The server has ended your session at ",
                (short(_address(session), 60), "bold"),
                ". Sign in again",
                *((" as ", (short(name), "bold")) if name else ()),
                " to go on where you are.",
            )
            title, yes = "Your session has ended", "Sign in"
            if session.has_password:
                ask = AskPasswordScreen(title, body, "Password", yes=yes, refusal=refusal)
            else:
                ask = AskSecretScreen(title, body, "Access token", yes=yes, refusal=refusal)
            answer = await self.push_screen_wait(ask)
            if answer is None:
                return False
            try:
                await session.sign_in_again(answer, self._ask_code)
            except (ApiError, SessionProblem) as error:
                problem = describe(error)
                refusal = ". ".join(filter(None, (problem.title, problem.detail)))
            else:
                return True
        return False

    async def _ask_code(self, refusal: str) -> SecretStr | None:
        from tui.ui.screens.dialog import TwoFactorScreen

        code: SecretStr | None = await self.push_screen_wait(TwoFactorScreen(refusal))
        return code

    def fault_sentence(self, error: Exception) -> str:
        """Write a crash report; return what the operator reads of it after the end."""
        from tui.crash import write_report

        self.unstored_secrets.hold()
        report = write_report(error)
        where = f" Where it happened is written in {report}, without any secret." if report else ""
        return f"momentum-keys stopped because of an internal error.{where}"


def _session_with(server: Server) -> Session:
    from tui.api.client import Client
    from tui.api.session import Session

    return Session(Client(server))


def _address(session: Session) -> str:
    """Return the address of the session's server, without the scheme."""
    return session.client.server.url.partition("://")[2]
