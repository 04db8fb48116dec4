"""The form of a key: label, allowed IPs and grants, each with its own error message."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.api.errors import ApiError, SignInRefused
from tui.api.grants import sends
from tui.api.models import Key, KeyDraft
from tui.api.session import SessionProblem
from tui.keys.paused_mark import is_paused
from tui.keys.service import KeyService
from tui.keys.validation import (
    split_ips,
    wrong_grants,
    wrong_ips,
    wrong_label,
    wrong_subaccount,
)
from tui.problems import Problem, describe
from tui.text import count, mask, plain
from tui.ui.bindings import with_keys
from tui.ui.widgets.draft_facts import DraftFacts
from tui.ui.widgets.field import Field
from tui.ui.widgets.grant_grid import GrantGrid
from tui.ui.widgets.password_field import PasswordField
from tui.ui.widgets.problem_text import ProblemText
from tui.ui.widgets.search_row import SearchRow

_FIELDS = {"valid_ips": "ips"}
"""The fields whose name on the wire differs from their name here."""


class DraftForm(Vertical):
    """Edits a draft of a key; the screen around it decides where the draft goes.

    `key` is what is edited, if anything, and `like` a key whose grants and addresses a new one
    gets; else a new one begins with the `subaccount`. `password` stands among the fields where the
    account's password is needed, too.
    """

    class GrantsChanged(Message):
        """A grant was given or taken, or the cursor is on another one."""

    def __init__(
        self,
        service: KeyService,
        key: Key | None,
        password: PasswordField | None,
        like: Key | None = None,
        subaccount: int | None = None,
    ) -> None:
        super().__init__(id="form")
        self._service, self._password = service, password
        self._start_from(key)
        if like is not None:
            self._old_ips = "" if is_paused(like.raw_valid_ips) else ", ".join(like.allowed_ips)
            self._old_grants = service.listing.catalogue.ordered(like.grants)
        self._label = Field(
            "Label *", self._old_label, id="label", placeholder="My Application API Key"
        )
        self._ips = Field("Allowed IPs", self._old_ips, id="ips", placeholder="any address")
        account = like.subaccount_id if like else subaccount
        self._old_account = str(account or "")
        self._subaccount = Field(
            "Subaccount", self._old_account, id="subaccount", placeholder="primary account"
        )
        has_accounts = service.listing.has_subaccounts or subaccount is not None
        self._asks_account = key is None and has_accounts
        origin = key or like
        self._account = origin.subaccount_id if origin else subaccount
        """Whose grants are on offer: a subaccount's, or None for the primary account's."""
        self._grants = GrantGrid(service.listing.catalogue, self._old_grants, id="grants")
        self._search_row = SearchRow(self._grants, "grant")
        self._grants_title = Static(id="grants-title", markup=False)
        self._grants_note = Static(id="grants-note", markup=False)
        self.problem: Problem | None = None
        """What stands above the fields."""

    def _start_from(self, key: Key | None) -> None:
        self._key = key
        self._old_label = key.label if key else ""
        self._old_ips = ", ".join(key.allowed_ips) if key else ""
        self._old_grants = self._service.listing.catalogue.ordered(key.grants if key else ())

    def compose(self) -> ComposeResult:
        """Problem and fields; the grants last, as they take the room that is left."""
        yield ProblemText(id="problem")
        yield self._label
        if self._password is not None:
            yield self._password
        if self._asks_account:
            yield self._subaccount
        yield self._ips
        yield self._grants_title
        yield self._search_row
        yield self._grants
        yield self._grants_note

    def on_mount(self) -> None:
        """Count the grants; warn where the server keeps the allowed IPs to itself."""
        self._count_grants()
        self._show_grant_note()
        if self._account:
            self._start_offering()
        if self._key is not None and is_paused(self._key.raw_valid_ips):
            self._ips.note = with_keys(
                "This key is paused: {keys.pause} in the list gives it its own addresses again.",
                self.app,
            )
        if self._key is not None and self._key.raw_valid_ips is None:
            self._ips.note = (
                "Not returned by the server: updating replaces them by what is entered here."
            )

    @property
    def key_id(self) -> str:
        """The id of the key that is edited, or nothing."""
        return self._key.id if self._key is not None else ""

    @property
    def is_searching(self) -> bool:
        """Whether letters go into the search of the grants."""
        return self._search_row.is_typed_in

    @property
    def draft(self) -> KeyDraft:
        """What is typed; a field that was not touched goes back exactly as the server sent it."""
        label, ips = self._label.value, self._ips.value
        account = self._typed_account or (self._key.subaccount_id if self._key else None)
        draft = KeyDraft(label.strip(), self._grants.given, split_ips(ips), account)
        if self._key is None:
            return draft
        return KeyDraft(
            (self._key.raw_label or "") if label == self._old_label else draft.label,
            draft.grants,
            (self._key.raw_valid_ips or ()) if ips == self._old_ips else draft.valid_ips,
            account,
        )

    @property
    def _typed_account(self) -> int | None:
        """The number of the subaccount that is typed; None for the primary account, 0 too."""
        text = self._subaccount.value.strip()
        return int(text) or None if text and not wrong_subaccount(text) else None

    @property
    def is_touched(self) -> bool:
        """Whether leaving would lose something that was typed."""
        return (
            self._label.value != self._old_label
            or self._ips.value != self._old_ips
            or self._subaccount.value != self._old_account
            or self._grants_touched
        )

    @property
    def _grants_touched(self) -> bool:
        return set(self._grants.given) != set(self._old_grants)

    @property
    def _grants_unknown(self) -> bool:
        return self._key is not None and self._key.raw_grants is None

    def give_like(self, key: Key) -> None:
        """Give the grants of another key."""
        self._grants.give_just(key.grants)
        self._grants.focus()

    def follow(self, key: Key) -> None:
        """Go on from how somebody else has changed the key; what was typed stays."""
        if self._label.value == self._old_label:
            self._label.value = key.label
        if self._ips.value == self._old_ips:
            self._ips.value = ", ".join(key.allowed_ips)
        grants_touched = self._grants_touched
        self._start_from(key)
        self._drop_search()
        self._grants.offer(key.grants, give=not grants_touched)

    def check(self) -> bool:
        """Check everything; the first field that is wrong gets the focus."""
        names = ("label", "password", "subaccount", "ips", "grants")
        wrong = [name for name in names if not self._check(name)]
        if wrong:
            self._focus(wrong[0])
        return not wrong

    def _check(self, name: str) -> bool:
        """Check one field and show beside it what is wrong; True where nothing is."""
        if name == "password":
            return self._password is None or self._password.check()
        wrong = ""
        if name == "label":
            wrong = wrong_label(self._label.value)
        elif name == "subaccount":
            wrong = wrong_subaccount(self._subaccount.value)
        elif name == "ips" and self._ips.value != self._old_ips:
            wrong = wrong_ips(self.draft.valid_ips)
        elif name == "grants" and (
            self._key is None or self._grants_touched or self._grants_unknown
        ):
            wrong = wrong_grants(self._grants.given)
        if wrong:
            self._show_error(name, wrong)
        elif name == "label":
            self._note_same_label()
        return not wrong

    def _note_same_label(self) -> None:
        other = self._service.listing.labelled(self.draft.label, besides=self._key)
        if other is not None:
            short_key = f" ({mask(other.short_key)})" if other.short_key else ""
            self._label.note = f"Another key{short_key} already has this label."

    @on(Field.Left)
    def _check_left_field(self, event: Field.Left) -> None:
        """Check a field as soon as it is filled in; an empty one may be filled in later."""
        if event.field.value and not self.disabled:
            self._check(event.field.id or "")
        if self._typed_account != self._account and self._asks_account and not self.disabled:
            self._account = self._typed_account
            self._start_offering()

    def _start_offering(self) -> None:
        self.run_worker(self._offer_grants(), group="load", exclusive=True)

    async def _offer_grants(self) -> None:
        """Offer what a key of the account may hold; what an edited key holds already stays."""
        try:
            catalogue = await self._service.catalogue(self._account)
        except (ApiError, SessionProblem) as error:
            self.show_problem(describe(error, doing="reading the grants of a subaccount's keys"))
            return
        self._drop_search()
        if taken := self._grants.offer_catalogue(catalogue, keep=self._old_grants):
            what = f"{count(taken, 'grant')} not for keys of this account"
            self._subaccount.note = f"{what}: taken from the choice below."

    def show_problem(self, problem: Problem | None) -> None:
        """Show a problem above the fields, or none."""
        self.problem = problem
        self.query_one(ProblemText).show(problem)
        self.refresh_bindings()

    def show_refusal(self, error: ApiError | SessionProblem) -> None:
        """Show what was refused beside the fields that it is about, else above them all."""
        problem = describe(error, self._key)
        errors = {_FIELDS.get(name, name): reason for name, reason in problem.fields.items()}
        if isinstance(error, SignInRefused):
            errors["password"] = error.description or problem.title
        shown = [name for name, reason in errors.items() if self._show_error(name, reason)]
        says_all = bool(shown) and (not problem.detail or isinstance(error, SignInRefused))
        self.show_problem(None if says_all else problem)
        if shown:
            self._focus(shown[0])

    def clear_errors(self) -> None:
        """Show nothing as wrong any more."""
        self.show_problem(None)
        for field in self.query(Field):
            if field.error:
                field.error = ""
        self._count_grants()

    def _show_error(self, name: str, reason: str) -> bool:
        """Show what is wrong with a field; False where there is no such field to be seen."""
        if name == "grants":
            self._grants_title.update(Content(f"✗ {plain(reason)}"))
            self._grants_title.set_class(True, "-wrong")
            return True
        for field in self.query(f"#{name}").results(Field):
            field.error = reason
            return field.display
        return False

    @on(GrantGrid.SearchRequested)
    def _search_grants(self) -> None:
        self._search_row.open()
        self._search_row.search_in(self._grants.search())

    @on(SearchRow.Narrowed)
    def _narrow_grants(self, event: SearchRow.Narrowed) -> None:
        if event.is_current:
            self._grants.narrow(event.matches)

    @on(SearchRow.ListRequested)
    def _go_to_grants(self) -> None:
        if not self._search_row.text:
            self._search_row.close()
        self._grants.focus()

    def _drop_search(self) -> None:
        """End the search of grants that are no longer on offer."""
        self._search_row.search_in(None)
        self._search_row.close()

    @on(SearchRow.Cleared)
    @on(GrantGrid.SearchEnded)
    def _end_grant_search(self) -> None:
        self._search_row.close()
        self._grants.focus()

    @on(GrantGrid.Moved)
    def _show_grant_note(self) -> None:
        grants = self._grants
        self._grants_note.update(grants.note)
        self.post_message(self.GrantsChanged())

    @property
    def facts(self) -> DraftFacts:
        """What the draft allows, and the grant under the cursor."""
        grants = self._grants
        before = self._old_grants if self._key is not None and not self._grants_unknown else None
        return DraftFacts(
            grants.catalogue,
            grants.given,
            before,
            grants.current,
            is_explained=grants.has_remarks,
        )

    @on(Field.Left, "#ips")
    def _follow_addresses(self) -> None:
        if not self._grants_title.has_class("-wrong"):
            self._count_grants()

    @on(GrantGrid.Changed)
    def _count_grants(self) -> None:
        grants = self._grants
        title = f"Grants *  {len(grants.given)} of {grants.offered_count}"
        if self._grants_unknown:
            title += "   ! not returned by the server: saving replaces them by what is chosen here"
        elif grants.all_given and grants.offered_count > 1:
            title += "   ! every grant: choose only what is necessary"
        elif sends(grants.given):
            title += "   ! sends mail" + ("" if self._ips.value.strip() else ", from any address")
        self._grants_title.update(Content(title))
        self._grants_title.set_class(False, "-wrong")
        self.post_message(self.GrantsChanged())

    def _focus(self, name: str) -> None:
        if name == "grants":
            self._grants.focus()
        else:
            self.query_one(f"#{name}", Field).focus_input()
