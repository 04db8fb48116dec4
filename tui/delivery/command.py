"""Giving secrets to a program of the operator's, such as a vault's, on its standard input."""

from __future__ import annotations

from collections.abc import Sequence

from tui.delivery.parcel import Parcel, Sent


class CommandDelivery:
    """Runs a command for each secret, with the secret and nothing else on its standard input.

    No newline follows it, as `vault kv put … key=-` stores what it reads as it is. There is no
    shell, and no terminal that the command could ask something on. Placeholders are filled in
    within single arguments: `{label}` and `{short_key}` in the form that `argument_form` makes of
    them, `{id}` as it is. Whoever reads arguments, as `ps` does, sees no secret.
    """

    def __init__(self, template: str, *, seconds: float = 20.0) -> None:
        self._template, self._seconds = template, seconds
        self._ran: dict[tuple[str, ...], str] = {}

    def check(self) -> None:
        """Raise `DeliveryFailed` where the command cannot be run, before the first key is made."""
        raise NotImplementedError

    def clash(self, labels: Sequence[str]) -> str:
        """Tell, or return nothing, where two labels make the same command and overwrite another."""
        raise NotImplementedError

    def close(self) -> None:
        """Do nothing."""

    async def deliver(self, parcel: Parcel) -> Sent:
        """Run the command with one secret; it has it when this returns."""
        raise NotImplementedError
