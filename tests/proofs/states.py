"""The states of the program in which it is ended, and what must become of a secret there."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from tests.node import Node
from tests.program.program import Program, until

API_KEYS = "/api/v1/api-keys"
SIGN_IN = "/api/v1/authenticate"


class Place(StrEnum):
    """Where a secret is that was not stored when the program ended."""

    NONE = "no secret"
    KEPT = "kept"
    STORED = "stored"
    NEVER_STORED = "never stored"
    """It was shown and is lost: the next start says so."""
    CUT_OFF = "delivery cut off"
    """It was being shown plain: the next start says so."""
    PERHAPS_STORED = "perhaps stored"
    """Its answer never came, and the next start finds a key that is just like it."""


@dataclass
class Scene:
    """One program in one state, and the node that it works with."""

    program: Program
    node: Node
    folder: Path
    secrets: list[str]
    """All secrets and tokens that the node has made up so far."""
    go_on: Callable[[], None] | None = None
    """Lets go on what is under way; the program sees it through first."""
    is_stalled: bool = False
    shows_secret: bool = False
    """Whether the secret is drawn, or may come to be drawn before the end."""
    children: int = 0
    """How many processes SIGKILL leaves behind, as nothing can end them then."""
    notes: list[str] = field(default_factory=list)

    @property
    def vault(self) -> Path:
        """A command that says that it has started, and waits to be let go on."""
        vault = self.folder / "vault"
        started, go_on, stored = (self.folder / name for name in ("started", "go-on", "stored"))
        vault.write_text(
            f"#!/bin/sh\necho > {started}\nwhile [ ! -e {go_on} ]; do sleep 0.05; done\n"
            f"cat > {stored}-$$\n"
        )
        vault.chmod(0o700)
        return vault

    def wait_for_vault(self) -> None:
        """Wait until the command has started; from then on it must be let go on."""
        started, go_on = self.folder / "started", self.folder / "go-on"
        self.program.wait_for(lambda _: started.exists())
        self.go_on, self.children = go_on.touch, 1


def new_node(secrets: list[str], **options: Any) -> Node:  # noqa: ANN401  # as Node takes them
    """Return a node that adds each secret, and each token that is shown to it, to `secrets`."""
    node = Node(mint=lambda: _minted(secrets), **options)
    app = node._faults.app

    async def noting(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        for name, value in scope.get("headers", ()):
            token = value.decode("latin-1").rpartition(" ")[2]
            if name == b"authorization" and token not in secrets:
                secrets.append(token)
        await app(scope, receive, send)

    node._faults.app = noting
    secrets.append(node.password)
    return node


def _minted(secrets: list[str]) -> str:
    secrets.append(os.urandom(20).hex())
    return secrets[-1]


def _hold(scene: Scene, method: str, path: str, how: str = "hang") -> None:
    scene.node.fail(method, path, how)  # type: ignore[arg-type]  # a parameter is a plain str


def login(scene: Scene) -> None:
    scene.program.at_login()


def signing_in(scene: Scene) -> None:
    scene.program.at_login()
    _hold(scene, "POST", SIGN_IN)
    scene.program.send(scene.node.password + "\r")
    scene.node.wait_held(1)


def loading(scene: Scene) -> None:
    _hold(scene, "GET", API_KEYS)
    scene.program.at_login()
    scene.program.send(scene.node.password + "\r")
    scene.node.wait_held(1)
    scene.program.shows("Reading the keys")


def key_list(scene: Scene) -> None:
    scene.program.sign_in(scene.node)


def _create(scene: Scene) -> None:
    key_list(scene)
    scene.shows_secret = True
    scene.program.send(f"nSentinel\t{scene.node.password}\t\t\t \r")


def create_before_commit(scene: Scene) -> None:
    _hold(scene, "POST", API_KEYS)
    _create(scene)
    scene.node.wait_held(1)
    scene.go_on = scene.node.release


def create_after_commit(scene: Scene) -> None:
    _hold(scene, "POST", API_KEYS, "hang-after")
    _create(scene)
    scene.node.wait_held(1)
    scene.go_on = scene.node.release


def delete_in_flight(scene: Scene) -> None:
    dialog(scene)
    _hold(scene, "DELETE", API_KEYS)
    scene.program.press("tab", "enter")
    scene.node.wait_held(1)
    scene.go_on = scene.node.release


def secret_shown(scene: Scene) -> None:
    """Wait for the secret, and for the journal's line about it, which comes up to 50 ms later."""
    _create(scene)
    scene.program.shows("The API key was created")
    assert scene.program.secret
    journal = scene.program.state / "momentum-keys" / "journal.jsonl"
    until(lambda: '"done"' in journal.read_text(encoding="utf-8"))


def plain_view(scene: Scene) -> None:
    secret_shown(scene)
    scene.program.send("p")
    scene.program.shows("Press Enter to erase this")


def command_running(scene: Scene) -> None:
    secret_shown(scene)
    scene.program.press("x")
    scene.program.shows("Hand the secret to a command")
    scene.program.send(f"{scene.vault} {{id}}\r")
    scene.wait_for_vault()


def rotation_secret(scene: Scene) -> None:
    scene.node.add_key("Rotated")
    scene.secrets.clear()
    scene.secrets.append(scene.node.password)
    key_list(scene)
    scene.program.go_to("Rotated")
    scene.program.press("r")
    scene.program.shows("› Rotate", "Account Password")
    scene.program.send(scene.node.password + "\r")
    scene.program.shows("never be retrieved again", "s Stored")
    scene.shows_secret = True


def rotation_between_steps(scene: Scene) -> None:
    rotation_secret(scene)
    scene.program.press("c")
    scene.program.shows("Sent to the terminal's clipboard")
    scene.program.press("s")
    scene.program.shows("Both keys work")


def bulk_run(scene: Scene) -> None:
    key_list(scene)
    scene.program.press("a", "r")
    scene.program.shows("Create successors")
    scene.program.send(f"{scene.node.password}\t\t{scene.vault} {{id}}\r")
    scene.wait_for_vault()


def dialog(scene: Scene) -> None:
    key_list(scene)
    scene.program.press("d")
    scene.program.shows("Delete API Key")


def help_screen(scene: Scene) -> None:
    key_list(scene)
    scene.program.press("f1")
    scene.program.shows("Keys", "create a new API key", "Esc Close")


def stalled_terminal(scene: Scene) -> None:
    key_list(scene)
    scene.program.stall()
    for _ in range(20):
        scene.program.resize(81, 24)
        scene.program.send("\x1b[F\x1b[H")
        scene.program.resize(80, 24)
    scene.is_stalled = True


STATES: dict[str, tuple[Callable[[Scene], None], Place, Place]] = {
    "login": (login, Place.NONE, Place.NONE),
    "signing in": (signing_in, Place.NONE, Place.NONE),
    "loading": (loading, Place.NONE, Place.NONE),
    "list": (key_list, Place.NONE, Place.NONE),
    "create before commit": (create_before_commit, Place.KEPT, Place.NONE),
    "create after commit": (create_after_commit, Place.KEPT, Place.PERHAPS_STORED),
    "delete in flight": (delete_in_flight, Place.NONE, Place.NONE),
    "secret shown": (secret_shown, Place.KEPT, Place.NEVER_STORED),
    "plain view": (plain_view, Place.KEPT, Place.CUT_OFF),
    "command running": (command_running, Place.STORED, Place.STORED),
    "rotation, secret shown": (rotation_secret, Place.KEPT, Place.NEVER_STORED),
    "rotation between steps": (rotation_between_steps, Place.NONE, Place.NONE),
    "bulk run": (bulk_run, Place.STORED, Place.STORED),
    "dialog": (dialog, Place.NONE, Place.NONE),
    "help": (help_screen, Place.NONE, Place.NONE),
    "stalled terminal": (stalled_terminal, Place.NONE, Place.NONE),
}
"""For each state: how it is reached, where its secret is after an end, and after SIGKILL."""
