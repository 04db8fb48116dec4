"""What each screen is called in the table of bindings; naming them all, this loads them all."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen

from tui.ui.bindings import Place
from tui.ui.screens.bulk import BulkScreen
from tui.ui.screens.journal import JournalScreen
from tui.ui.screens.key_detail import KeyDetailScreen
from tui.ui.screens.key_form import KeyFormScreen
from tui.ui.screens.keys import KeysScreen
from tui.ui.screens.login import LoginScreen
from tui.ui.screens.rotate import RotateScreen
from tui.ui.screens.secret import SecretScreen

PLACES: tuple[tuple[type[Screen[Any]], Place], ...] = (
    (LoginScreen, Place.LOGIN),
    (KeysScreen, Place.KEYS),
    (KeyDetailScreen, Place.DETAIL),
    (KeyFormScreen, Place.FORM),
    (RotateScreen, Place.ROTATE),
    (BulkScreen, Place.RUN),
    (JournalScreen, Place.JOURNAL),
    (SecretScreen, Place.SECRET),
)


def place_of(screen: Screen[Any]) -> Place | None:
    """Return the place that a screen is, or None for a dialog."""
    return next((place for kind, place in PLACES if isinstance(screen, kind)), None)
