"""Which keys ask for attention: those that are due for rotation, or send from any address."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from tui.api.grants import sends
from tui.api.models import Key
from tui.keys.labels import base_label
from tui.keys.rotation_policy import RotationPolicy

_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Attention:
    """Judges keys at a moment, by a policy; addresses count where the server tells them."""

    policy: RotationPolicy = field(default_factory=RotationPolicy)
    now: datetime = _LONG_AGO
    are_ips_told: bool = False

    def is_due(self, key: Key) -> bool:
        """Tell whether a key is as old as the policy lets it become."""
        label = base_label(key.raw_label or "") if self.policy.age_by_pattern else ""
        return self.policy.is_due(label, created_moment(key), self.now)

    def is_exposed(self, key: Key) -> bool:
        """Tell whether a key sends mail and is accepted from any address."""
        return self.are_ips_told and not key.raw_valid_ips and sends(key.grants)


def created_moment(key: Key) -> datetime | None:
    """Return when the key was made, in the zone that the server sent.

    Changing the zone, as `Key.created_at` does, fails at both ends of the calendar, and a long
    list is to be gone through at once.
    """
    try:
        moment = datetime.fromisoformat(key.raw_created_at or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
