"""The keys of a server as last read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tui.api.grants import Catalogue
from tui.api.models import Key
from tui.comparing import as_read
from tui.keys.labels import SHORTEST_REFERENCE, Mark, key_reference, mark_of


@dataclass(frozen=True)
class Listing:
    """The keys of the server as last read, in its order, and the grants it offers.

    Of a list that is not whole (contract 4), no key's absence proves anything. One that `is_stale`
    is not whole either: it is older than what the server has answered to this program.
    """

    keys: tuple[Key, ...] = ()
    catalogue: Catalogue = field(default_factory=Catalogue)
    is_whole: bool = True
    is_stale: bool = False

    @cached_property
    def by_id(self) -> Mapping[str, Key]:
        """The keys by their ids; of several with one id the first."""
        return {key.id: key for key in reversed(self.keys)}

    @cached_property
    def by_label(self) -> Mapping[str | None, Sequence[Key]]:
        """The keys of each raw label, in the server's order."""
        by_label: dict[str | None, list[Key]] = {}
        for key in self.keys:
            by_label.setdefault(key.raw_label, []).append(key)
        return by_label

    @cached_property
    def perhaps_marked(self) -> Sequence[Key]:
        """The keys whose labels may end in a mark, in the server's order.

        Every mark has a parenthesis. In a long list few labels do, and only those are looked at.
        """
        return [key for key in self.keys if key.raw_label is not None and "(" in key.raw_label]

    @cached_property
    def _by_reference(self) -> Mapping[str, Sequence[tuple[Mark, Key]]]:
        """The successors and their marks, by the beginning of what these tell of an id."""
        by_reference: dict[str, list[tuple[Mark, Key]]] = {}
        for key in self.perhaps_marked:
            if (mark := mark_of(key.raw_label or "")) is not None:
                by_reference.setdefault(mark.reference[:SHORTEST_REFERENCE], []).append((mark, key))
        return by_reference

    def successors(self, key: Key) -> tuple[Key, ...]:
        """Return the keys whose marks name this one as their predecessor."""
        if not self._by_reference:
            return ()
        marked = self._by_reference.get(key_reference(key.id)[:SHORTEST_REFERENCE], ())
        return tuple(
            other
            for mark, other in marked
            if other.id != key.id
            and mark.is_about(key.id)
            and mark.may_name(key.raw_short_key or "")
        )

    @cached_property
    def tells_addresses(self) -> bool:
        """Whether the server tells allowed addresses, so that a key without any has none."""
        return any(key.raw_valid_ips is not None for key in self.keys)

    def lacks(self, key_id: str) -> bool:
        """Tell whether a key is known not to be there."""
        return self.is_whole and key_id not in self.by_id

    @property
    def has_subaccounts(self) -> bool:
        """Whether the server is known to have subaccounts: by its keys, or by what keys may do."""
        return any(grant.key.startswith("subaccount/") for grant in self.catalogue.grants) or any(
            key.subaccount_id for key in self.keys
        )

    def find(
        self, key_id: str | None, short_key: str, label: str, subaccount_id: int | None
    ) -> Key | None:
        """Return the key that a create made (contract 4).

        Without an id, short key, label and account tell it.
        """
        if key_id is not None:
            return self.by_id.get(key_id)
        same = [
            key
            for key in self.keys
            if (key.short_key, key.label) == (short_key, label)
            and (key.subaccount_id or 0) == (subaccount_id or 0)
        ]
        return same[-1] if same else None

    @property
    def raw_labels(self) -> list[str]:
        """The labels of all keys, as the server has them."""
        return [key.raw_label or "" for key in self.keys]

    def labelled(self, label: str, besides: Key | None = None) -> Key | None:
        """Return a key whose label people read as this one, `besides` the one being edited."""
        wanted = as_read(label)
        for key in self.keys:
            other = key.raw_label or ""
            if other.isascii() and other[:1].lower() != wanted[:1] and not other[:1].isspace():
                continue  # a long list is looked through in no time
            if as_read(other) == wanted and (besides is None or key.id != besides.id):
                return key
        return None
