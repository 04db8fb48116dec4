"""The servers that the operator can choose from: those of the configuration, and the last used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tui.config.last_used import LastUsed
from tui.config.profile import Profile


@dataclass(frozen=True)
class KnownServers:
    """Profiles by name, what counts for a server that has none, and what was used last.

    `started` is the one that the command line or the only table names; None where the operator has
    yet to say, or nothing is configured.
    """

    general: Profile = field(default_factory=Profile)
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    last_used: LastUsed = field(default_factory=LastUsed)
    started: Profile | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of any server."""
        return not self.profiles and not self.last_used.servers and self.started is None

    @property
    def first(self) -> Profile | None:
        """The server to sign in to at the start; None where the operator has to choose."""
        if self.started is not None and self.started.url:
            return self._offered(self.started)
        if self.profiles and self.started is None:
            return None
        last = next(iter(self.choices()), self.general)
        return replace(self.started, url=last.url) if self.started is not None else last

    def choices(self) -> list[Profile]:
        """Return all servers, those of the configuration first, each kind by when it was used."""
        last = self.last_used.servers
        names = [use.name for use in last if use.name in self.profiles]
        names += [name for name in self.profiles if name not in names]
        urls = {profile.url for profile in self.profiles.values()}
        others = [
            replace(self.general, url=use.url, user=use.user) for use in last if use.url not in urls
        ]
        return [self._offered(self.profiles[name]) for name in dict.fromkeys(names)] + others

    def _offered(self, profile: Profile) -> Profile:
        """Return the profile, with who signed in there last where it names nobody."""
        user = profile.user or self.last_used.of(profile.url).user
        return replace(profile, user=user) if user != profile.user else profile
