"""Minimal Textual programs with the program's widgets: what nothing built with it can go below."""

from __future__ import annotations

LOGIN = """
from textual.app import App
from textual.containers import Center, Vertical
from textual.widgets import Footer, Input, Label, Static

class Floor(App[None]):
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [("f1", "help", "Help"), ("ctrl+s", "enter", "Sign in")]

    def compose(self):
        yield Static("the floor")
        with Center(), Vertical():
            for name in ("Server", "User name", "Password"):
                yield Label(name)
                yield Input(compact=True)
        yield Footer(compact=True)

    def on_mount(self):
        for field in self.query(Input):
            field.cursor_blink = False

Floor().run()
"""
"""The fields of the login screen; the first has the focus."""

TABLE = """
from textual.app import App
from textual.widgets import DataTable, Footer, Static

class Floor(App[None]):
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [("f1", "help", "Help"), ("q", "quit", "Leave")]

    def compose(self):
        yield Static("the floor")
        yield DataTable(cursor_type="row")
        yield Footer(compact=True)

    def on_mount(self):
        table = self.query_one(DataTable)
        table.add_columns("Label", "Short key", "Grants", "Created")
        for number in range(40):
            table.add_row(f"Sender {number}", f"{number:04x}", "View metrics", "2 days ago")

Floor().run()
"""
"""A table of 40 rows with a cursor."""
