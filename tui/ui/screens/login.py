"""The login screen: server, user name, password."""

from __future__ import annotations

import asyncio
import dataclasses
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Center, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import Worker

from tui.api.address import BadAddress, Server, parse_server
from tui.api.errors import ApiError, BadProxy, SignInRefused, Unauthorized, Unsendable
from tui.config.profile import Profile
from tui.config.secret_sources import NoSecretRead, secret_of_command, secret_of_file
from tui.text import short
from tui.ui.bindings import Place, bindings_for
from tui.ui.terminal.type_ahead import HEARD_MEANWHILE, drop_typed_ahead, opening_screen
from tui.ui.widgets.field import Field
from tui.ui.widgets.key_footer import KeyFooter
from tui.ui.widgets.problem_text import ProblemText
from tui.ui.widgets.status import Status
from tui.ui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from pydantic import SecretStr

    from tui.api.session import Session, SessionProblem
    from tui.problems import Problem

UNPROTECTED = "Plain http: passwords and secrets cross the network unprotected."
"""What is shown as long as nothing hides them from whoever listens."""

Connect = Callable[[Server], Awaitable["Session"]]
"""Returns a session with a server, nobody signed in yet."""
SignIn = Callable[["Session"], Awaitable[bool]]
"""One way to sign in; False where something is missing, or the operator changed their mind."""


@dataclass(frozen=True, slots=True)
class SignInDefaults:
    """What stands in the form at the start, and the profile of the server that is meant."""

    url: str = ""
    username: str = ""
    password: SecretStr | None = None
    ca_file: Path | None = None
    client_id: str = ""
    client_secret: SecretStr | None = None
    plain_http_allowed: bool = False
    notice: str = ""
    profile: Profile = dataclasses.field(default_factory=Profile)


def defaults_of(profile: Profile) -> SignInDefaults:
    """Return what a profile puts into the form."""
    return SignInDefaults(
        url=profile.url,
        username=profile.user,
        ca_file=profile.ca_file,
        client_id=profile.client_id,
        plain_http_allowed=profile.allow_http,
        profile=profile,
    )


class EnforcementAsker:
    """Asks a server, while the operator types, whether it wants to know who is calling.

    A failure is silent: the sign-in asks again.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._url = ""
        self._asking: asyncio.Task[bool | ApiError | SessionProblem] | None = None

    def ask(self, server: Server) -> None:
        """Ask in the background, once for each address in turn."""
        if server.url != self._url:
            self.forget()
            self._url = server.url
            self._asking = asyncio.create_task(self._ask(server))

    def forget(self) -> None:
        """Ask no more, and forget what was answered."""
        if self._asking is not None:
            self._asking.cancel()
        self._url, self._asking = "", None

    async def is_enforced(self, session: Session) -> bool:
        """Return what the session's server answered, or is answering; else ask it now.

        Raises what `Session.is_enforced` raises.
        """
        asking = self._asking
        if asking is None or asking.cancelled() or self._url != session.client.server.url:
            return await session.is_enforced()
        was_done = asking.done()
        outcome = await asking
        if isinstance(outcome, bool):
            return outcome
        if was_done:
            return await session.is_enforced()
        raise outcome

    async def _ask(self, server: Server) -> bool | ApiError | SessionProblem:
        session = await self._connect(server)
        from tui.api.session import SessionProblem  # it has been loaded by now

        try:
            return await session.is_enforced()
        except (ApiError, SessionProblem) as error:
            return error
        finally:
            await session.close()


class LoginScreen(Screen[None]):
    """Asks for what is needed to sign in, and signs in."""

    CSS_PATH = "login.tcss"
    AUTO_FOCUS = ""
    PLACE = Place.LOGIN
    BINDINGS: ClassVar[list[BindingType]] = list(bindings_for(PLACE))

    class SignedIn(Message):
        """A session stands."""

        def __init__(self, session: Session, *, is_of_profile: bool) -> None:
            """Tell whether it is with the server of the profile, or another address was typed."""
            super().__init__()
            self.session, self.is_of_profile = session, is_of_profile

    def __init__(
        self, defaults: SignInDefaults, connect: Connect, connect_in_pauses: Connect
    ) -> None:
        """Take how to connect at once, and how to do it while the operator types."""
        super().__init__()
        self._defaults, self._connect = defaults, connect
        self._enforcement = EnforcementAsker(connect_in_pauses)
        self._problem: Problem | None = None
        self._worker: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        """The form, in the middle, and beneath it what went wrong."""
        defaults = self._defaults
        password = defaults.password.get_secret_value() if defaults.password else ""
        yield TopBar("Sign in", notice=defaults.notice)
        with Center(id="middle"), Vertical(id="form"):
            yield Field("Server", defaults.url, id="server", placeholder="https://momentum.example")
            yield Field("User name", defaults.username, id="username")
            command = short(shlex.join(defaults.profile.password_command), 40)
            hint = f"printed by {command}" if command else ""
            yield Field("Password", password, id="password", masked=True, placeholder=hint)
            if defaults.client_id:
                yield self._client_fields()
            yield ProblemText(id="problem")
            yield Status()
        yield KeyFooter()

    def _client_fields(self) -> Vertical:
        """Return the fields of the OAuth client, which few installations want."""
        return Vertical(
            Field("Client ID", self._defaults.client_id, id="client-id"),
            Field("Client secret", id="client-secret", masked=True),
            id="client",
        )

    def on_mount(self) -> None:
        """Put the cursor where the first thing is missing."""
        names = ["server", "username", "password"]
        profile = self._defaults.profile
        has_secret = profile.client_secret_file or profile.client_secret_command
        if self._defaults.client_id and not self._defaults.client_secret and not has_secret:
            self.query_one("#client").display = True
            names += ["client-id", "client-secret"]
        empty = [name for name in names if not self._field(name).value]
        self._field(empty[0] if empty else "password").focus_input()
        self._note_route()

    def on_unmount(self) -> None:
        """Ask nothing in the background any more."""
        self._enforcement.forget()

    @on(Input.Submitted)
    def action_sign_in(self) -> None:
        """Sign in with what is typed."""
        self._start(self._sign_in, "sign in")

    def action_use_token(self) -> None:
        """Sign in with an access token."""
        self._start(self._enter_with_token, "enter with an access token")

    def action_cancel(self) -> None:
        """Stop signing in."""
        if self._worker is not None:
            self._worker.cancel()

    def action_details(self) -> None:
        """Show what exactly went wrong."""
        from tui.ui.screens.dialog import ProblemScreen

        if self._problem is not None:
            self.app.push_screen(ProblemScreen(self._problem))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what makes sense now."""
        if action == "details":
            return self._problem is not None
        if action in {"cancel", "use_token", "sign_in"}:
            return self._busy is (action == "cancel")
        return True

    @property
    def _busy(self) -> bool:
        return self._worker is not None and not self._worker.is_finished

    def _start(self, sign_in: SignIn, description: str) -> None:
        """Sign in one way; the form is closed meanwhile, so that nothing gets into it by chance."""
        if not self._busy:
            focused = self.focused
            self.query_one("#form").disabled = True
            self._worker = self.run_worker(
                self._run(sign_in, focused), group="sign in", description=description
            )

    async def _run(self, sign_in: SignIn, focused: Widget | None) -> None:
        """Connect, sign in, and show what went wrong; what is typed stays."""
        from tui.api.session import SessionProblem

        self._show_problem(None)
        self.query_one(Status).update(Content(""))
        session: Session | None = None
        is_signed_in = False
        try:
            with (
                self.query_one(Status).working("Signing in · Esc cancels"),
                opening_screen(self.app, HEARD_MEANWHILE),
            ):
                server = self._with_known_address(self._server())
                session = await self._connect(await self._with_client_secret(server))
                is_signed_in = await sign_in(session)
                if is_signed_in:
                    self._post_signed_in(session)
        except (BadAddress, ApiError, SessionProblem, NoSecretRead) as error:
            self._open_form(focused)
            if not isinstance(error, SignInRefused):
                self._enforcement.forget()
            await self._show_refusal(error)
        except asyncio.CancelledError:
            if self.query("#form"):  # it is gone where the program ends
                self._open_form(focused)
                self.query_one(Status).update(Content("Signing in was cancelled."))
            raise
        else:
            if not is_signed_in:
                self._open_form(focused)
        finally:
            self._worker = None
            if session is not None and not is_signed_in:
                await session.close()
            self.refresh_bindings()

    def _post_signed_in(self, session: Session) -> None:
        """Forget the password, and have the app go on to the keys."""
        for field in self.query("#password, #client-secret").results(Field):
            field.value = ""  # the screen may outlive its closing
        is_of_profile = self._is_of_profile(session.client.server)
        self.post_message(self.SignedIn(session, is_of_profile=is_of_profile))

    def _open_form(self, focused: Widget | None) -> None:
        """Let the operator type again, where the cursor was; what was typed meanwhile is lost."""
        drop_typed_ahead(self.app)
        self.query_one("#form").disabled = False
        self.set_focus(focused)

    async def _sign_in(self, session: Session) -> bool:
        from pydantic import SecretStr  # it loads while the operator types

        if not await self._enforcement.is_enforced(session):
            self._enforcement.forget()
            return await self._enter_open(session)
        typed = self._field("password").value
        profile, username = self._defaults.profile, self._field("username").value.strip()
        command = profile.password_command if username == profile.user else ()
        has_command = bool(command) and self._is_of_profile(session.client.server)
        if not self._complete("username", *(() if has_command and not typed else ("password",))):
            return False
        password = SecretStr(typed) if typed else await secret_of_command(command)
        await session.sign_in(username, password, self._ask_code, reads_ahead=True)
        return True

    async def _enter_with_token(self, session: Session) -> bool:
        from tui.problems import describe
        from tui.ui.screens.dialog import AskSecretScreen

        body = Content(
            "Paste the access token that your browser got when you signed in there. F2 tells "
            "where the browser shows it, under Get an access token."
        )
        refusal = ""
        while True:
            ask = AskSecretScreen(
                "Access token", body, "Access token", yes="Sign in", refusal=refusal
            )
            token = await self.app.push_screen_wait(ask)
            if token is None:
                return False
            try:
                await session.enter_with_token(self._field("username").value.strip(), token)
            except Unauthorized:
                refusal = "The server does not accept this access token."
            except Unsendable as error:
                refusal = describe(error).detail
            else:
                return True

    async def _enter_open(self, session: Session) -> bool:
        from tui.ui.screens.dialog import ConfirmScreen

        body = Content(
            "This server accepts every request, without a sign-in and without an API key. You "
            "can go on without signing in."
        )
        go_on = ConfirmScreen("Authentication is switched off", body, yes="Go on")
        if await self.app.push_screen_wait(go_on):
            session.enter_open()
            return True
        return False

    async def _ask_code(self, refusal: str) -> SecretStr | None:
        from tui.ui.screens.dialog import TwoFactorScreen

        return await self.app.push_screen_wait(TwoFactorScreen(refusal))

    def _server(self) -> Server:
        """Return the server as typed; raises BadAddress."""
        from pydantic import SecretStr  # it loads while the operator types

        typed_secret = self._typed("client-secret")
        client_secret = SecretStr(typed_secret) if typed_secret else self._defaults.client_secret
        return parse_server(
            self._field("server").value,
            ca_file=self._defaults.ca_file,
            prefix=self._defaults.profile.api_prefix,
            client_id=self._typed("client-id").strip(),
            client_secret=client_secret,
            plain_http_allowed=self._defaults.plain_http_allowed,
            list_limit=self._defaults.profile.list_limit,
        )

    def _with_known_address(self, server: Server) -> Server:
        """Return the server with the address by which it is remembered, if its profile has one."""
        known_as = self._defaults.profile.known_as
        if not known_as or not self._is_of_profile(server):
            return server
        return replace(server, known_as=parse_server(known_as, plain_http_allowed=True).url)

    async def _with_client_secret(self, server: Server) -> Server:
        """Return the server with the secret that its profile tells the source of, if any.

        No other server is sent it. Raises NoSecretRead.
        """
        profile = self._defaults.profile
        if server.client_secret is not None or not self._is_of_profile(server):
            return server
        if server.client_id != profile.client_id:
            return server
        if profile.client_secret_file is not None:
            secret = await secret_of_file(profile.client_secret_file)
        elif profile.client_secret_command:
            secret = await secret_of_command(profile.client_secret_command)
        else:
            return server
        return replace(server, client_secret=secret)

    def _is_of_profile(self, server: Server) -> bool:
        """Tell whether it is the profile's server, or another one's address was typed."""
        profile = self._defaults.profile
        if not profile.url:
            return False
        own = parse_server(profile.url, prefix=profile.api_prefix, plain_http_allowed=True)
        return own.url == server.url

    @on(Field.Left)
    def _note_route(self) -> None:
        """Note beside the server how requests get there, before a password is typed.

        Where nothing is wrong with that, the server is asked whether it wants to know who is
        calling.
        """
        from tui.api.proxy import proxy_for

        field = self._field("server")
        if field.error or not field.value:
            return
        try:
            server = parse_server(
                field.value,
                ca_file=self._defaults.ca_file,
                prefix=self._defaults.profile.api_prefix,
                plain_http_allowed=True,
            )
        except BadAddress:
            return  # shown when signing in
        is_allowed = self._defaults.plain_http_allowed
        notes = [UNPROTECTED] if server.is_exposed and is_allowed else []
        try:
            if proxy := proxy_for(server):
                notes.append(f"Through the proxy {proxy.shown}, as the environment says.")
        except BadProxy as error:
            from tui.problems import describe

            notes.append(describe(error).detail)
        else:
            if not self._busy and (is_allowed or not server.is_exposed):
                self._enforcement.ask(server)
        field.note = " ".join(notes)

    def _complete(self, *names: str) -> bool:
        missing = [field for field in map(self._field, names) if not field.value.strip()]
        for field in missing:
            field.error = "This is needed to sign in."
        if missing:
            missing[0].focus_input()
        return not missing

    async def _show_refusal(self, error: Exception) -> None:
        from tui.problems import Problem, describe  # it loads while the operator types

        if isinstance(error, NoSecretRead):
            self._show_problem(Problem("No password was read", error.sentence))
            return
        problem = describe(error)
        self._show_problem(problem)
        if isinstance(error, BadAddress):
            self._field("server").focus_input()
        elif isinstance(error, SignInRefused) and error.error == "invalid_client":
            if not self.query("#client"):
                await self.query_one("#form").mount(self._client_fields(), after="#password")
            self.query_one("#client").display = True
            self._field("client-id").focus_input()
        elif isinstance(error, SignInRefused):
            self._field("password").focus_input()
            self._field("password").query_one(Input).select_all()  # typing replaces it

    def show_sign_out(self, address: str, is_confirmed: bool) -> None:
        """Say what became of the session before, unless the operator has gone on since."""
        if self._busy or self._problem is not None or self not in self.app.screen_stack:
            return
        if is_confirmed:
            self.query_one(Status).update(Content(f"Signed out of {short(address, 50)}."))
        else:
            from tui.problems import unconfirmed_sign_out

            self._show_problem(unconfirmed_sign_out(address))

    def _show_problem(self, problem: Problem | None) -> None:
        self._problem = problem
        self.query_one(ProblemText).show(problem)
        self.refresh_bindings()

    def _typed(self, name: str) -> str:
        """Return what stands in a field, nothing where the form is without it."""
        return self._field(name).value if self.query(f"#{name}") else ""

    def _field(self, name: str) -> Field:
        return self.query_one(f"#{name}", Field)
