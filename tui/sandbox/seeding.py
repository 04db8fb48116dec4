"""What a new node begins with: its people, its client, and some keys to look at (contract 8)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from tui.sandbox.node_context import Rules
from tui.sandbox.passwords import hashed, new_code, new_password
from tui.sandbox.sessions import Sessions
from tui.sandbox.store import Store, StoredUser

USERNAME = "ops"
COLLEAGUE = "casey"
"""Owns some of the keys, and does not sign in."""


class Credentials(NamedTuple):
    """What signs in to the node; None is what was shown earlier, or is not there."""

    username: str
    password: str | None
    client_id: str
    client_secret: str | None
    code: str | None
    access_token: str | None


def seed(store: Store, rules: Rules, *, role: str = "admin", seeds: bool = True) -> Credentials:
    """Furnish the store where it is new, and return what signs in to it.

    The two-factor code and the access token are made anew at every start, as nobody could be
    shown them otherwise when a node is started with another kind of account.
    """
    password = client_secret = None
    if store.fresh:
        password, client_secret = new_password(), secrets.token_hex(16)
        email = f"{USERNAME}@example.com"
        store.add_user(
            StoredUser(USERNAME, "Olive", email, role, hashed(password, rules.cost), None)
        )
        store.add_user(
            StoredUser(COLLEAGUE, "Casey", f"{COLLEAGUE}@example.com", "admin", None, None)
        )
        store.add_client(f"console-{secrets.token_hex(4)}", client_secret)
        if seeds:
            add_seed_keys(store, rules)
        store.complete()
    code = access_token = None
    if rules.account == "two-factor":
        code = new_code()
        store.set_code(USERNAME, hashed(code, rules.cost))
    if rules.account == "single-sign-on":
        sessions = Sessions(store.db, store.now)
        access_token, _ = sessions.open(USERNAME, remember=False, verified=True)
    return Credentials(USERNAME, password, store.client_id(), client_secret, code, access_token)


@dataclass(frozen=True, slots=True)
class _Seed:
    label: str
    days: float
    """How long ago it was made."""
    grants: str
    username: str | None = USERNAME
    valid_ips: tuple[str, ...] = ()
    subaccount_id: int | None = None


_SEEDS = (
    _Seed("Old bounce importer", 1534.3, "webhooks/view", COLLEAGUE),
    _Seed("Newsletter SMTP relay", 803.1, "smtp/inject", valid_ips=("192.0.2.25", "10.8.0.0/16")),
    _Seed("Billing mailer", 611.6, "transmissions/view transmissions/modify templates/view"),
    # Older than the catalogue: message_events/view is not a grant that Momentum lists.
    _Seed(
        "Support desk webhooks",
        402.2,
        "message_events/view webhooks/view webhooks/modify",
        COLLEAGUE,
    ),
    _Seed("Partner portal", 287.9, "transmissions/modify metrics/view", None, subaccount_id=101),
    _Seed(
        "Template designers", 154.4, "templates/view templates/modify templates/preview", COLLEAGUE
    ),
    _Seed("Nightly metrics export", 63.8, "metrics/view"),
    _Seed("Deliverability watch", 9.5, "metrics/view adaptive-delivery/view"),
)

_SUBACCOUNT_SEEDS = (
    _Seed("Partner reports", 33.4, "webhooks/view", None, subaccount_id=102),
    _Seed("Reseller mailer", 21.6, "transmissions/modify", None, subaccount_id=101),
    _Seed("Former reseller", 12.2, "metrics/view", None, subaccount_id=103),
)
"""Where the edition has subaccounts, the last of which is suspended."""


def add_seed_keys(store: Store, rules: Rules) -> None:
    """Add the keys that a new node begins with; nobody has their secrets."""
    missing = {"adaptive-delivery/view"} - rules.edition.keys
    for seed in (*_SEEDS, *_SUBACCOUNT_SEEDS * bool(rules.edition.suspended)):
        store.add_key(
            seed.label,
            tuple(grant for grant in seed.grants.split() if grant not in missing),
            seed.valid_ips,
            username=seed.username,
            subaccount_id=seed.subaccount_id,
            created_at=store.now() - timedelta(days=seed.days),
        )
