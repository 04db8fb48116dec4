"""What was used last is offered again, whatever became of the file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tui.config.last_used import MOST_SERVERS, DeliveryMemory, LastUsed, ServerUse
from tui.waiting import all_seen_through

ONE, OTHER = "https://one.example", "https://other.example"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "momentum-keys" / "last-used.json"


def has(path: Path, content: str) -> Path:
    """Have a file with this content there."""
    path.parent.mkdir()
    path.write_text(content)
    return path


def modes(path: Path) -> tuple[int, int]:
    return path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def reread(path: Path) -> LastUsed:
    last_used = LastUsed(path)
    last_used.read()
    return last_used


async def test_the_next_run_offers_what_this_one_used(path: Path) -> None:
    last_used = reread(path)
    last_used.note_sign_in(ONE, name="", user="admin")
    last_used.note_sign_in(OTHER, name="prod", user="ops")
    memory = DeliveryMemory(last_used, ONE, {})
    memory.note_command("vault kv put x key=-")
    memory.note_folder(Path("/srv/secrets"))
    await all_seen_through()
    one = ServerUse(ONE, "", "admin", "vault kv put x key=-", "/srv/secrets")
    assert reread(path).servers == (ServerUse(OTHER, "prod", "ops"), one)
    assert modes(path) == (0o600, 0o700)
    assert names(path.parent) == [path.name]


async def test_the_last_server_is_the_first_whichever_is_written_first(path: Path) -> None:
    last_used = reread(path)
    last_used.note_sign_in(ONE, name="", user="admin")
    last_used.note_sign_in(OTHER, name="prod", user="ops")
    await all_seen_through()
    for urls in ((ONE, OTHER), (OTHER, ONE)):
        last_used.forget()
        for url in urls:
            last_used._store(url)
        assert [use.url for use in reread(path).servers] == [OTHER, ONE]


async def test_a_new_server_is_offered_what_another_used(path: Path) -> None:
    last_used = LastUsed()
    DeliveryMemory(last_used, ONE, {}).note_command("pass insert -e x")
    assert DeliveryMemory(last_used, OTHER, {}).last_command == "pass insert -e x"
    assert DeliveryMemory(last_used, OTHER, {}).last_folder == ""


async def test_two_runs_at_once_lose_nothing(path: Path) -> None:
    one, other = reread(path), reread(path)
    one.note_sign_in(ONE, name="", user="admin")
    await all_seen_through()
    other.note_sign_in(OTHER, name="", user="ops")
    await all_seen_through()
    assert [use.url for use in reread(path).servers] == [OTHER, ONE]


async def test_only_so_many_servers_are_remembered(path: Path) -> None:
    last_used = reread(path)
    for number in range(MOST_SERVERS + 5):
        last_used.note_sign_in(f"https://{number}.example", name="", user="x")
        await all_seen_through()
    assert len(reread(path).servers) == MOST_SERVERS == len(last_used.servers)


GOOD = {"url": ONE, "user": "admin"}


@pytest.mark.parametrize(
    ("content", "urls"),
    [
        ("", []),
        ("{", []),
        ("[" * 100_000, []),
        ("[]", []),
        ('{"version": 2, "servers": [{"url": "https://x"}]}', []),
        (json.dumps({"version": 1, "servers": 3}), []),
        (json.dumps({"version": 1, "servers": [3, {}, {"url": 4}, GOOD]}), [ONE]),
        (json.dumps({"version": 1, "servers": [{"url": "a\x1b[2J"}, GOOD]}), [ONE]),
        (json.dumps({"version": 1, "servers": [{"url": ONE, "user": None}]}), []),
    ],
)
async def test_a_damaged_file_is_no_error_and_is_replaced(
    path: Path, content: str, urls: list[str]
) -> None:
    last_used = reread(has(path, content))
    assert [use.url for use in last_used.servers] == urls
    last_used.note_sign_in(OTHER, name="", user="ops")
    await all_seen_through()
    assert [use.url for use in reread(path).servers] == [OTHER, *urls]


def test_a_pipe_in_place_of_the_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert reread(tmp_path / "pipe").servers == ()


async def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    last_used = reread(tmp_path)
    last_used.note_sign_in(ONE, name="", user="ops")
    await all_seen_through()
    assert last_used.of(ONE).user == "ops"


async def test_what_is_forgotten_is_gone(path: Path) -> None:
    last_used = reread(path)
    last_used.note_sign_in(ONE, name="", user="ops")
    await all_seen_through()
    last_used.forget()
    last_used.forget()
    assert names(path.parent) == []
