"""What a sandbox is asked to be, and what it tells about itself; light enough for the app."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from tui.sandbox.fault_options import FaultOption

EDITIONS = ("momentum-4.1", "momentum-4.2", "sparkpost")
"""The servers that the sandbox can play (contract 3 and 4)."""

ACCOUNTS = ("password", "two-factor", "two-factor-required", "single-sign-on")
"""The ways in which the sandbox's user can sign in (contract 2)."""


class SandboxMissing(Exception):
    """The packages that the sandbox stands on are not installed."""

    def __str__(self) -> str:
        return (
            "The sandbox needs packages that are not installed; in the clone, run "
            ".venv/bin/pip install -e '.[sandbox]', or pipx install --force '.[sandbox]' where "
            "pipx installed the program"
        )


class SandboxFailed(Exception):
    """The sandbox could not start; the text is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """What kind of node to run; port 0 is any free one, no `data` keeps everything in memory."""

    port: int = 0
    data: Path | None = None
    edition: str = "momentum-4.2"
    auth: bool = True
    account: str = "password"
    require_client: bool = False
    faults: tuple[str, ...] = ()
    """What is to go wrong, as `--fault` takes it."""
    tls: bool = False

    def problem(self) -> str | None:
        """Return in one sentence what is wrong with these options, or None."""
        if self.edition not in EDITIONS:
            return f"There is no edition {self.edition!r}; there are {', '.join(EDITIONS)}."
        if self.account not in ACCOUNTS:
            return f"There is no account kind {self.account!r}; there are {', '.join(ACCOUNTS)}."
        if self.edition == "momentum-4.1" and self.account.startswith("two-factor"):
            return "Momentum 4.1 has no two-factor sign-in; choose another edition or account."
        for fault in self.faults:
            try:
                FaultOption.parse(fault)
            except ValueError as error:
                return str(error)
        if not 0 <= self.port <= 65535:
            return f"A port lies between 0 and 65535; {self.port} does not."
        return None


@dataclass(frozen=True, slots=True)
class Announcement:
    """How to reach a running sandbox; what was shown when its data was made is None later on."""

    url: str
    username: str
    password: str | None = field(repr=False)
    client_id: str
    client_secret: str | None = field(repr=False)
    code: str | None = field(repr=False)
    access_token: str | None = field(repr=False)
    ca_file: str | None = None
    """The certificate of the authority that vouches for the node, where it speaks https."""


def require_packages(*, tls: bool = False) -> None:
    """Raise `SandboxMissing` unless the sandbox's packages are there, without loading them."""
    names = ("starlette", "uvicorn", "trustme") if tls else ("starlette", "uvicorn")
    if any(find_spec(name) is None for name in names):
        raise SandboxMissing
