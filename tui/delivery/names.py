"""Names made from labels, which are anybody's text, for files, variables and arguments."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from itertools import count

LONGEST_NAME = 64
"""How many characters of a label go into the name of a file or variable."""
LONGEST_ARGUMENT = 128
"""How many characters a label has at most in a command's arguments."""
LONGEST_SHORT_KEY = 12
"""How many characters of a short key go into a name."""


def suggested_file_name(label: str, short_key: str) -> str:
    """Return a file name for a key's secret that is safe everywhere: `billing-mailer-9ac1.key`."""
    ending = _slug(short_key)[:LONGEST_SHORT_KEY].strip("-")
    tail = f"-{ending}.key" if ending else ".key"
    stem = _slug(label)[: LONGEST_NAME - len(tail)].strip("-")
    return f"{stem or 'api-key'}{tail}"


def variable_name(label: str, short_key: str, taken: Container[str]) -> str:
    """Return an environment variable's name that is not in `taken`: `BILLING_MAILER_KEY`.

    It always ends in KEY, or in KEY and what tells it from its namesakes, so that no label makes
    it one that a system acts on, such as PATH or LD_PRELOAD.
    """
    name = re.sub("(^|-)key$", "", _slug(label)[:LONGEST_NAME]).strip("-") or "api"
    stem = f"{'_' if name[0].isdigit() else ''}{name}_key".replace("-", "_").upper()
    ending = _slug(short_key)[:LONGEST_SHORT_KEY].strip("-").replace("-", "_").upper()
    if stem in taken and ending:
        stem = f"{stem}_{ending}"
    if stem not in taken:
        return stem
    return next(name for n in count(2) if (name := f"{stem}_{n}") not in taken)


def argument_form(text: str) -> str:
    """Return what stands for `text` in a command's arguments; nothing where no character will do.

    It holds ASCII letters, digits, `.`, `_` and `-` alone, begins with no `-` or `.`, and holds
    no `..`: it is never an option, never a way to another directory, and means nothing to a shell.
    """
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    text = re.sub(r"[^A-Za-z0-9._-]+", "-", text)
    return re.sub(r"\.{2,}", ".", text).strip("-.")[:LONGEST_ARGUMENT].rstrip("-.")


def _slug(text: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]+", "-", ascii_text.lower()).strip("-")
