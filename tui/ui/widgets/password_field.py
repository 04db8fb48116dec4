"""The account's password, which the server wants again before it adds a key (contract 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.keys.validation import wrong_password
from tui.ui.widgets.field import Field

if TYPE_CHECKING:
    from pydantic import SecretStr


class PasswordField(Field):
    """Asks for the account's password; hidden, and never wrong, where the account has none."""

    def __init__(self, *, is_needed: bool, placeholder: str = "") -> None:
        super().__init__("Account Password *", id="password", placeholder=placeholder, masked=True)
        self.display = is_needed
        self.disabled = not is_needed

    @property
    def secret(self) -> SecretStr | None:
        """The password that is typed; None where none is asked for."""
        from pydantic import SecretStr  # it loads while the operator types

        return SecretStr(self.value) if self.display else None

    def check(self) -> bool:
        """Show what is wrong with the password beneath it; True where nothing is."""
        self.error = wrong_password(self.value) if self.display else ""
        return not self.error

    def refuse(self, reason: str) -> bool:
        """Show why the server refused it, to be typed again; False where none is asked for."""
        if self.display:
            self.error = reason
            self.focus_input()
        return self.display
