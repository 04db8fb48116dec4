"""What of an API key is searched."""

from __future__ import annotations

from collections.abc import Iterable

from tui.api.grants import Catalogue
from tui.api.models import Key
from tui.search.index import Index
from tui.text import plain


def index_of_keys(keys: Iterable[Key], catalogue: Catalogue) -> Index:
    """Return an index with a row for each key, in their order.

    A row has the label, the short key, the id, the owner, the allowed IPs, or `any` and `anywhere`
    where there are none, and each grant by its label and by its key. Fit for a thread.
    """
    grants: dict[str, str] = {}
    combinations: dict[tuple[str, ...], str] = {}
    rows = []
    for key in keys:
        if key.grants not in combinations:
            for grant in key.grants:
                grants[grant] = f"{catalogue.label(grant)}\n{plain(grant)}"
            combinations[key.grants] = "\n".join(grants[grant] for grant in key.grants)
        addresses = "\n".join(key.allowed_ips) or "any\nanywhere"
        own = key.label, key.short_key, plain(key.id)
        rows.append((*own, key.owner, addresses, combinations[key.grants]))
    return Index(rows)
