"""The configuration, and what was used last."""
