"""Where the configuration is."""

from __future__ import annotations

from pathlib import Path


def config_path() -> Path:
    """Return where the configuration is: `$XDG_CONFIG_HOME/momentum-keys/config.toml`.

    `~/.config`, or the like of other systems, stands in for the variable where it isn't set.
    """
    from platformdirs import user_config_path  # slow to import, and --help does without

    return user_config_path("momentum-keys", appauthor=False) / "config.toml"
