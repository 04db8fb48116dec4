"""Writing a set of secrets to one new file, whole and private after each of them."""

from __future__ import annotations

import asyncio
import csv
import errno
import io
import json
import os
import re
import shlex
import stat
import sys
import threading
from asyncio.subprocess import PIPE
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tui.delivery import (
    DeliveryFailed,
    DeliveryFault,
    FileDelivery,
    Form,
    NewSecret,
    form_of,
    variable_name,
)

FORMS: tuple[Form, ...] = get_args(Form)
HOSTILE = [
    'a"b,c\n=d',
    "=HYPERLINK(A1)",
    "\t＝1",  # noqa: RUF001  # a formula to some spreadsheets
    "\x1b]52;c;eA==\x07\u202e",
    "\ud800",
    "$(touch pwned)\n`touch pwned`",
    "日本",
    "",
]


def parcel(number: int, label: str = "billing mailer", secret: str | None = None) -> NewSecret:
    value = f"{number:04x}cafe" if secret is None else secret
    return NewSecret(SecretStr(value), f"id{number}", label, f"{number:04x}")


def read(path: Path, form: Form) -> list[str]:
    """The secrets in a file, as whoever uses it reads them."""
    text = path.read_bytes().decode("utf-8", "surrogatepass")
    if form == "json":
        return [entry["secret"] for entry in json.loads(text)]
    if form == "csv":
        return [row["secret"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    words = shlex.split(text, comments=True)
    assert all(re.fullmatch("[A-Z_][A-Z0-9_]*=.*", word, re.DOTALL) for word in words)
    return [word.partition("=")[2] for word in words]


@pytest.mark.parametrize("form", FORMS)
async def test_after_each_secret_the_file_is_whole_private_and_on_the_disk(
    tmp_path: Path, form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"new.{form}"
    writes: list[int] = []
    synced: list[int] = []
    pwrite, fsync = os.pwrite, os.fsync

    def write(descriptor: int, data: bytes, place: int) -> int:
        writes.append(place)
        return pwrite(descriptor, data, place)

    def sync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)
        fsync(descriptor)

    monkeypatch.setattr(os, "pwrite", write)
    monkeypatch.setattr(os, "fsync", sync)
    delivery = FileDelivery(path, form)
    delivery.check(["any", "labels"])
    delivery.check()
    assert (path.stat().st_size, len(synced)) == (0, 1)
    before = b""
    labels = ["billing mailer", "billing mailer", *HOSTILE]
    for number, label in enumerate(labels):
        sent = await delivery.deliver(parcel(number, label))
        assert str(path) in sent.where
        assert sent.caveat
        assert f"{number:04x}cafe" not in sent.where + sent.caveat
        assert read(path, form) == [f"{n:04x}cafe" for n in range(number + 1)]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert (len(writes), synced[-1]) == (number + 1, path.stat().st_size)
        assert path.read_bytes().startswith(before)
        before = path.read_bytes().removesuffix(b"\n]\n")
    delivery.close()
    delivery.close()
    assert len(read(path, form)) == len(labels)
    with pytest.raises(DeliveryFailed) as caught:
        delivery.check()
    assert caught.value.reason is DeliveryFault.EXISTS


async def test_what_stands_in_the_files(tmp_path: Path) -> None:
    texts: dict[str, str] = {}
    for form in FORMS:
        path = tmp_path / form
        delivery = FileDelivery(path, form)
        wheres = [
            (await delivery.deliver(parcel(n, label))).where
            for n, label in enumerate(["=1\nBücher", "-a", "-a"])
        ]
        if form == "env":
            assert wheres[2] == f"Written to {path} as A_KEY_0002, which only you can read."
        else:
            assert wheres[2] == f"Written to {path}, which only you can read."
        delivery.close()
        texts[form] = path.read_text()
    assert texts["env"] == (
        "# =1␊Bücher (0000, id id0)\n_1_BUCHER_KEY=0000cafe\n"
        "# -a (0001, id id1)\nA_KEY=0001cafe\n"
        "# -a (0002, id id2)\nA_KEY_0002=0002cafe\n"
    )
    assert texts["csv"] == (
        "label,id,short_key,secret\n"
        "'=1␊Bücher,id0,0000,0000cafe\n'-a,id1,0001,0001cafe\n'-a,id2,0002,0002cafe\n"
    )
    assert json.loads(texts["json"])[0] == {
        "label": "=1\nBücher",
        "id": "id0",
        "short_key": "0000",
        "secret": "0000cafe",
    }
    assert texts["json"].isascii()


async def test_a_shell_reads_the_secrets_and_runs_nothing(tmp_path: Path) -> None:
    odd = "$(touch pwned)'\"\n# \\ `touch pwned`"
    delivery = FileDelivery(tmp_path / "keys.env", "env")
    await delivery.deliver(parcel(1, "a\n touch pwned", secret=odd))
    await delivery.deliver(parcel(2, "PATH", secret=odd))
    delivery.close()
    script = 'cd "$0"; . ./keys.env; printf %s "$A_TOUCH_PWNED_KEY$PATH_KEY"; ls'
    shell = await asyncio.create_subprocess_exec("sh", "-c", script, tmp_path, stdout=PIPE)
    output, _ = await shell.communicate()
    assert output.decode() == odd * 2 + "keys.env\n"


@pytest.mark.parametrize("form", FORMS)
@given(secrets=st.lists(st.text(min_size=1), min_size=1, max_size=4))
@example(secrets=["\ud800", "\r\n"])
@settings(deadline=None, max_examples=40)
async def test_any_secret_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, form: Form, secrets: list[str]
) -> None:
    path = tmp_path_factory.mktemp("any") / "new"
    delivery = FileDelivery(path, form)
    for number, secret in enumerate(secrets):
        await delivery.deliver(parcel(number, secret, secret))
    delivery.close()
    assert read(path, form) == secrets


ENDLESS = """
import asyncio, sys
from pathlib import Path
from pydantic import SecretStr
from tui.delivery import FileDelivery, NewSecret
async def main():
    files = [FileDelivery(Path(form), form) for form in ("env", "json", "csv")]
    for number in range(10**6):
        for file in files:
            await file.deliver(NewSecret(SecretStr(f"{number:04x}cafe"), "id", "label", "9ac1"))
        print(number, flush=True)
asyncio.run(main())
"""


async def test_a_killed_program_loses_no_secret_that_was_written(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ENDLESS, cwd=tmp_path, env={"PYTHONPATH": str(root)}, stdout=PIPE
    )
    assert process.stdout
    for _ in range(50):
        reported = int(await process.stdout.readline())
    process.kill()
    await process.communicate()
    for form in FORMS:
        secrets = read(tmp_path / form, form)
        assert len(secrets) > reported
        assert secrets == [f"{number:04x}cafe" for number in range(len(secrets))]


@pytest.mark.parametrize("form", FORMS)
def test_an_unused_file_is_removed_again(tmp_path: Path, form: Form) -> None:
    path = tmp_path / "new"
    delivery = FileDelivery(path, form)
    delivery.close()
    delivery.check()
    assert path.exists()
    delivery.close()
    assert not path.exists()
    delivery.check()
    path.rename(tmp_path / "moved")
    path.write_text("somebody else's")
    delivery.close()
    assert path.read_text() == "somebody else's"


@pytest.mark.parametrize("existing", ["file", "symlink", "directory", "missing/new"])
def test_a_bad_path_is_refused_at_once(tmp_path: Path, existing: str) -> None:
    (tmp_path / "file").write_text("older")
    (tmp_path / "directory").mkdir()
    (tmp_path / "symlink").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DeliveryFailed):
        FileDelivery(tmp_path / existing, "env").check()
    assert (tmp_path / "file").read_text() == "older"
    assert not (tmp_path / "nowhere").exists()


def test_a_directory_that_fails_to_be_synced_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(DeliveryFailed, match="input/output error"):
        FileDelivery(tmp_path / "new", "env").check()
    assert not (tmp_path / "new").exists()


def almost_full() -> Callable[..., int]:
    """A disk with room for seven bytes more than there are."""
    pwrite, limit = os.pwrite, None

    def write(descriptor: int, data: bytes, place: int) -> int:
        nonlocal limit
        limit = limit or os.fstat(descriptor).st_size + 7
        if place >= limit:
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwrite(descriptor, data[: limit - place], place)

    return write


def failing(number: int) -> Callable[..., Any]:
    def call(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


def out_of_memory(_: int) -> None:
    raise MemoryError


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("name", "broken", "reason"),
    [
        ("pwrite", almost_full, DeliveryFault.NO_SPACE),
        ("fsync", lambda: failing(errno.EIO), DeliveryFault.OTHER),
        ("fsync", lambda: out_of_memory, None),
    ],
)
async def test_a_failed_write_leaves_the_file_as_it_was(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: Form,
    name: str,
    broken: Callable[[], Callable[..., Any]],
    reason: DeliveryFault | None,
) -> None:
    path = tmp_path / "new"
    delivery = FileDelivery(path, form)
    delivery.check()
    for number in range(2):
        before = path.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(os, name, broken())
            with pytest.raises(DeliveryFailed if reason else MemoryError) as caught:
                await delivery.deliver(parcel(8))
        if isinstance(failure := caught.value, DeliveryFailed):
            assert failure.reason is reason
            assert ("before is kept" in failure.sentence) is bool(number)
            assert "0008cafe" not in failure.sentence
        assert path.read_bytes() == before
        await delivery.deliver(parcel(number))
        assert read(path, form) == [f"{n:04x}cafe" for n in range(number + 1)]
    delivery.close()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("change", ["moved", "removed", "replaced", "edited"])
async def test_a_file_that_somebody_else_took_or_changed_gets_nothing(
    tmp_path: Path, form: Form, change: str
) -> None:
    path, moved = tmp_path / "new", tmp_path / "moved"
    delivery = FileDelivery(path, form)
    await delivery.deliver(parcel(0))
    if change == "edited":
        path.write_text("edited")
    elif change == "removed":
        path.unlink()
    else:
        path.rename(moved)
    if change == "replaced":
        path.touch()
    with pytest.raises(DeliveryFailed) as caught:
        await delivery.deliver(parcel(1))
    assert caught.value.reason is DeliveryFault.CHANGED
    assert not any(b"0001cafe" in file.read_bytes() for file in (path, moved) if file.exists())
    delivery.close()


async def test_a_file_that_is_taken_away_during_a_write_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, moved = tmp_path / "new", tmp_path / "moved"
    delivery = FileDelivery(path, "json")
    await delivery.deliver(parcel(0))
    monkeypatch.setattr(os, "fsync", lambda _: path.rename(moved) if path.exists() else None)
    with pytest.raises(DeliveryFailed, match="moved, removed or changed"):
        await delivery.deliver(parcel(1))
    assert read(moved, "json") == ["0000cafe"]
    delivery.close()


@pytest.mark.parametrize(
    ("label", "short_key", "taken", "name"),
    [
        ("billing mailer", "9ac1", "", "BILLING_MAILER_KEY"),
        ("Bücher & Söhne", "9ac1", "", "BUCHER_SOHNE_KEY"),
        ("SparkPost API key", "9ac1", "", "SPARKPOST_API_KEY"),
        ("monkey", "9ac1", "", "MONKEY_KEY"),
        ("2fa", "9ac1", "", "_2FA_KEY"),
        ("LD_PRELOAD", "9ac1", "", "LD_PRELOAD_KEY"),
        ("日本", "9ac1", "", "API_KEY"),
        ("", "", "API_KEY API_KEY_2", "API_KEY_3"),
        ("a", "9ac1", "A_KEY", "A_KEY_9AC1"),
        ("a", "9ac1", "A_KEY A_KEY_9AC1", "A_KEY_9AC1_2"),
    ],
)
def test_a_variable_is_named_for_the_label(
    label: str, short_key: str, taken: str, name: str
) -> None:
    assert variable_name(label, short_key, taken.split()) == name


@given(st.lists(st.tuples(st.text() | st.sampled_from(["a", "A", "a!"]), st.text(max_size=3))))
@settings(deadline=None)
@example([("x" * 1000, "y" * 1000)] * 3)
def test_variables_are_unique_and_safe_in_any_shell(keys: list[tuple[str, str]]) -> None:
    taken: set[str] = set()
    for label, short_key in keys:
        name = variable_name(label, short_key, taken)
        assert name not in taken
        assert re.fullmatch(r"[A-Z_][A-Z0-9_]{0,99}", name)
        assert re.search("(^|_)KEY(_|$)", name)
        taken.add(name)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        (".env", "env"),
        (".env.production", "env"),
        ("billing.ENV", "env"),
        ("X.CSV", "csv"),
        ("x.Json", "json"),
        (".env.json", "json"),
        ("env", None),
        ("x.key", None),
        ("x.environment", None),
    ],
)
def test_the_name_tells_the_form(name: str, form: Form | None) -> None:
    assert form_of(Path("folder.csv") / name) == form


async def test_a_file_system_that_hangs_costs_a_failure_and_not_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    monkeypatch.setattr("os.fsync", lambda _: answers.wait())
    monkeypatch.setattr("tui.waiting.FILE_SECONDS", 0.2)
    delivery = FileDelivery(tmp_path / "set.env", "env")
    for _ in range(2):
        with pytest.raises(DeliveryFailed, match="did not answer") as failure:
            await delivery.deliver(parcel(1))
        assert failure.value.reason is DeliveryFault.TOO_SLOW
    answers.set()
