"""Reusable widgets: they know Textual, not the API's client."""
