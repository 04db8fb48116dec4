"""What each screen is called in the table of bindings; naming them all, this loads them all."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen

from tui.bindings import Place
from tui.screens.journal import JournalScreen
from tui.screens.key_detail import KeyDetailScreen
from tui.screens.key_form import KeyFormScreen
from tui.screens.login import LoginScreen
from tui.screens.rotate import RotateScreen
from tui.screens.run import RunScreen
from tui.screens.secret import SecretScreen
from tui.screens.settings import SettingsScreen

PLACES: tuple[tuple[type[Screen[Any]], Place], ...] = (
    (LoginScreen, Place.LOGIN),
    (SettingsScreen, Place.KEYS),
    (KeyDetailScreen, Place.DETAIL),
    (KeyFormScreen, Place.FORM),
    (RotateScreen, Place.ROTATE),
    (RunScreen, Place.RUN),
    (JournalScreen, Place.JOURNAL),
    (SecretScreen, Place.SECRET),
)


def place_of(screen: Screen[Any]) -> Place | None:
    """Return the place that a screen is, or None for a dialog."""
    return next((place for kind, place in PLACES if isinstance(screen, kind)), None)
