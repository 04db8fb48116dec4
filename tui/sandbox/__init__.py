"""A Momentum node in miniature over real HTTP, to try things out and for tests (contract 8)."""
