"""Giving secrets to a command: what it gets, what is told of it, and that it always ends."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.clock import in_vain
from tui.delivery import (
    CommandDelivery,
    DeliveryFailed,
    DeliveryFault,
    NewSecret,
    Sent,
    argument_form,
)
from tui.delivery.redaction import LONGEST, last_words
from tui.waiting import all_seen_through

VALUE = "9ac1f00dcafe9ac1f00dcafe9ac1f00dcafe0042"
SECRET = SecretStr(VALUE)
READ = "cat > got.stdin"


def parcel(
    label: str = "billing mailer", key_id: str = "id1", secret: SecretStr = SECRET
) -> NewSecret:
    return NewSecret(secret, key_id, label, "9ac1")


Script = Callable[..., str]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Makes the program `./store`, which notes its arguments and environment first."""
    monkeypatch.chdir(tmp_path)

    def make(does: str, first: str = "#!/bin/sh") -> str:
        note = "echo $$ > got.pid; printf '%s\\0' \"$@\" > got.argv; env > got.env; "
        note += "tr '\\0' ' ' < /proc/$$/cmdline > got.cmdline"
        Path("store").write_text(f"{first}\n{note}\n{does}\n")
        Path("store").chmod(0o700)
        return "./store"

    return make


def got(name: str) -> str:
    return Path(name).read_text()


def noted(name: str) -> bool:
    return Path(name).exists() and got(name) != ""


def forget(name: str) -> None:
    Path(name).unlink()


def arguments() -> list[str]:
    return got("got.argv").split("\0")[:-1]


async def failure(command: CommandDelivery, what: NewSecret | None = None) -> DeliveryFailed:
    return await failure_of(command.deliver(what or parcel()))


async def failure_of(delivery: Awaitable[Sent]) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        await delivery
    assert VALUE not in caught.value.sentence
    assert caught.value.sentence.isprintable()
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return caught.value


def gone(process: int) -> bool:
    """Tell whether a process ends within ten seconds; nobody may have asked after it yet."""
    state = Path(f"/proc/{process}/stat")
    for _ in range(500):
        try:
            if state.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


async def test_the_secret_goes_to_standard_input_and_nowhere_else(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "unchanged")
    command = CommandDelivery(
        f"{script(READ)} put 'a b' momentum/{{label}}={{id}},{{short_key}} {{{{"
    )
    command.check(["billing mailer", "other"])
    sent = await command.deliver(parcel())
    command.close()
    assert sent == Sent(
        "./store put 'a b' momentum/billing-mailer=id1,9ac1 '{' took it (exit 0).",
        "It said nothing.",
    )
    assert got("got.stdin") == VALUE
    assert arguments() == ["put", "a b", "momentum/billing-mailer=id1,9ac1", "{"]
    assert "VAULT_TOKEN=unchanged" in got("got.env")
    for trace in ("got.env", "got.cmdline"):
        assert VALUE not in got(trace)


async def test_what_it_says_is_told_without_escapes_and_without_the_secret(script: Script) -> None:
    does = (
        "read -r it; printf 'one\\ntwo\\n\\n\\033]0;x\\007stored %s\\n' \"$it\"; echo on stderr >&2"
    )
    sent = await CommandDelivery(script(does)).deliver(parcel())
    assert sent.caveat == "It said: two / ␛]0;x␇stored ••• / on stderr"


@pytest.mark.parametrize(
    ("does", "reason", "message"),
    [
        (
            "cat; echo; echo denied >&2; exit 3",
            DeliveryFault.FAILED,
            "(exit 3). It said: ••• / denied",
        ),
        (f"{READ}; kill -9 $$", DeliveryFault.FAILED, "(signal 9). It said nothing."),
        ("exit 2", DeliveryFault.FAILED, "(exit 2). It said nothing."),
        ("echo done", DeliveryFault.NOT_READ, "cannot have stored it. It said: done"),
        (
            "dd bs=1 count=9 of=got.stdin 2>/dev/null",
            DeliveryFault.NOT_READ,
            "cannot have stored it.",
        ),
        ("exec <&-; sleep 0.1", DeliveryFault.NOT_READ, "cannot have stored it."),
    ],
)
async def test_a_command_that_fails_is_told(
    script: Script, does: str, reason: DeliveryFault, message: str
) -> None:
    failed = await failure(CommandDelivery(script(does)))
    assert failed.reason is reason
    assert message in failed.sentence


async def test_one_that_reads_what_it_needs_and_leaves_at_once_is_no_failure(
    script: Script,
) -> None:
    script("exec dd bs=1 count=40 of=got.stdin 2>/dev/null")
    assert (await CommandDelivery("./store").deliver(parcel())).where.endswith("(exit 0).")


@pytest.mark.parametrize(
    ("does", "last_file"),
    [
        ("exec sleep 600", "got.cmdline"),
        ("sleep 600 & echo $! > child; wait", "child"),
        ("exec yes x", "got.cmdline"),
    ],
)
async def test_one_that_hangs_is_killed_with_its_children(
    script: Script, does: str, last_file: str
) -> None:
    delivery = CommandDelivery(script(does), seconds=8)
    hangs = partial(noted, last_file)
    failed = await failure_of(in_vain(delivery.deliver(parcel()), hangs))
    assert failed.reason is DeliveryFault.TOO_SLOW
    assert "did not finish within 8 s and was stopped" in failed.sentence
    assert gone(int(got("got.pid")))
    assert not noted("child") or gone(int(got("child")))


async def test_one_that_is_stopped_by_hand_is_killed_with_its_children(script: Script) -> None:
    os.mkfifo("started")
    command = CommandDelivery(script("sleep 600 & echo $! > child; echo > started; wait"))
    command.stop()  # nothing runs yet
    sending = asyncio.create_task(command.deliver(parcel()))
    await asyncio.to_thread(got, "started")
    command.stop()
    with pytest.raises(DeliveryFailed, match="was stopped") as caught:
        await sending
    assert caught.value.brief == "stopped"
    assert gone(int(got("got.pid")))
    assert gone(int(got("child")))


async def test_one_that_is_stopped_while_it_starts_is_killed(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = CommandDelivery(script("exec sleep 600"))
    start = asyncio.create_subprocess_exec

    async def stopped(*argv: str, **options: Any) -> asyncio.subprocess.Process:  # noqa: ANN401  # as the function takes them
        process = await start(*argv, **options)
        command.stop()
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", stopped)
    assert (await failure(command)).brief == "stopped"


async def test_one_that_nobody_waits_for_any_more_is_seen_through(script: Script) -> None:
    os.mkfifo("started")
    os.mkfifo("go-on")
    command = CommandDelivery(script(f"echo > started; read _ < go-on; {READ}; echo x > stored"))
    sending = asyncio.create_task(command.deliver(parcel()))
    await asyncio.to_thread(got, "started")
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await asyncio.to_thread(Path("go-on").write_text, "\n")
    await all_seen_through()
    assert got("stored") == "x\n"
    assert gone(int(got("got.pid")))


async def test_a_child_that_stays_behind_is_not_waited_for(script: Script) -> None:
    command = CommandDelivery(script(f"{READ}; sleep 600 & echo $! > keeper; echo stored"))
    async with asyncio.timeout(60):
        sent = await command.deliver(parcel())
    keeper = int(got("keeper"))
    try:
        assert sent.caveat == "It said: stored"
    finally:
        os.kill(keeper, signal.SIGKILL)  # raises where it is gone


async def test_of_very_much_output_the_end_is_told(script: Script) -> None:
    does = f"{READ}; yes 'a long line' | head -c 3000000; echo; echo the end"
    sent = await CommandDelivery(script(does)).deliver(parcel())
    assert sent.caveat.startswith("It said: a long line / a ")
    assert sent.caveat.endswith(" / the end")


async def test_it_has_no_terminal_to_ask_on(script: Script) -> None:
    does = f"{READ}; if (: < /dev/tty) 2>/dev/null; then echo a terminal; else echo none; fi"
    sent = await CommandDelivery(script(does)).deliver(parcel())
    assert sent.caveat == "It said: none"


async def test_a_program_that_cannot_be_started_is_told(script: Script) -> None:
    script("", "#!/no/such/interpreter")
    failed = await failure(CommandDelivery("./store"))
    assert failed.reason is DeliveryFault.NO_PROGRAM
    assert "could not be started: no such file" in failed.sentence


async def test_a_secret_longer_than_any_is_refused_before_anything_runs(script: Script) -> None:
    command = CommandDelivery(script(READ))
    failed = await failure(command, parcel(secret=SecretStr("x" * 2_000_000)))
    assert "too long" in failed.sentence
    assert not noted("got.pid")


async def test_one_secret_never_takes_the_place_of_another(script: Script) -> None:
    command = CommandDelivery(f"{script(READ)} {{label}}")
    with pytest.raises(DeliveryFailed, match=r"the same for “a b” and “a/b”.*Add {id} to it"):
        command.check(["x", "a b", "a/b"])
    await command.deliver(parcel("a b", "id1"))
    await command.deliver(parcel("a b", "id1"))
    forget("got.argv")
    failed = await failure(command, parcel("a/b", "id2"))
    assert failed.reason is DeliveryFault.BAD_COMMAND
    assert "./store a-b was already run" in failed.sentence
    assert not noted("got.argv")
    CommandDelivery("./store {label} {id}").check(["a", "a"])
    with pytest.raises(DeliveryFailed):
        CommandDelivery("./store").check(["a", "b"])


async def test_what_the_server_has_not_told_is_not_filled_in_as_nothing(script: Script) -> None:
    delivery = CommandDelivery(f"{script(READ)} key-{{id}}")
    delivery.check()
    with pytest.raises(DeliveryFailed, match="did not return the key's id"):
        await delivery.deliver(parcel(key_id=""))
    assert not noted("got.pid")


async def test_an_id_that_is_not_safe_is_refused_and_a_label_is_made_so(script: Script) -> None:
    failed = await failure(CommandDelivery(f"{script(READ)} {{id}}"), parcel(key_id="../x"))
    assert failed.reason is DeliveryFault.BAD_NAME
    assert not noted("got.pid")
    await CommandDelivery("./store {label}").deliver(parcel("--rm\0 ../$(x)", "../x"))
    assert arguments() == ["rm-.-x"]
    await CommandDelivery("./store {label}").deliver(parcel("日本"))
    assert arguments() == ["api-key"]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("", "There is no command yet"),
        ("  ", "There is no command yet"),
        ("no-such-program-here x", "There is no program no-such-program-here here"),
        ("~no-such-user/x", "There is no program"),
        ("/etc/passwd", "There is no program"),
        ("'cat", "has no partner"),
        ("cat x\\", "has no partner"),
        ("cat {", "brace in { has no partner"),
        ("cat }", "brace in } has no partner"),
        ("cat {}", "Nothing is known as {}"),
        ("cat {key}", "Nothing is known as {key}"),
        ("cat {label.__class__}", "Nothing is known as"),
        ("cat {label!r}", "A command may hold {label}, {id} and {short_key}."),
        ("cat {label:>9}", "A command may hold"),
        ("cat {0}", "Nothing is known as {0}"),
        ("cat key={secret}", "The secret is given on standard input only"),
        ("{label} x", "must begin with a program"),
        ("cat | sort", "No shell runs the command, so | means nothing"),
        ("cat > file", "so > means nothing"),
        ("cat 2>&1", "so 2>&1 means nothing"),
        ("cat $HOME/x", "so $HOME/x means nothing in it: use a script"),
        ('tee "$HOME"/{label}', 'so "$HOME"/{label} means nothing'),
        ("tee `id`", "so `id` means nothing"),
        ('tee "a`id`"', "means nothing"),
        ("tee x # a note", "so # means nothing"),
        ("tee vault-*", "so vault-* means nothing"),
        ("tee ~/{label}", "so ~/{label} means nothing"),
        ("tee a;reboot", "so a;reboot means nothing"),
        ("tee x>y", "so x>y means nothing"),
        ("tee x &", "so & means nothing"),
        ("cat\tx", "a character that nobody can see"),
        ("cat \x1b[2J{", "a character that nobody can see: cat ␛[2J{."),
    ],
)
def test_a_bad_command_is_refused_before_there_is_a_key(template: str, message: str) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        CommandDelivery(template).check()
    assert message in caught.value.sentence
    assert caught.value.sentence.isprintable()
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_another_keys_name_in_a_store_is_not_taken(script: Script) -> None:
    script("")
    command = CommandDelivery("./store momentum/{label}")
    command.check(["a b"], ["a b", "other"])
    with pytest.raises(DeliveryFailed, match="is the same for “a b” and “a/b”"):
        command.check(["a b"], ["other", "a/b"])
    CommandDelivery("./store {label} {id}").check(["a b"], ["a/b"])


@pytest.mark.parametrize(
    "template",
    [
        "cat '$HOME' '*' '# no note' \\$x \\# a#b x~",
        'cat "a;b & c" "it\'s <{label}>" "~/x"',
        "cat key=- -mount=secret momentum/{label} a,b:c@d%e+f=g^h!",
    ],
)
def test_what_is_quoted_from_a_shell_is_taken_as_it_is(template: str) -> None:
    CommandDelivery(template).check()


def test_a_tilde_before_the_program_is_the_home(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script("")
    monkeypatch.setenv("HOME", str(tmp_path))
    CommandDelivery("~/store {label}").check()


@given(st.text() | st.from_regex(r"[-./\w ]{0,20}"), st.sampled_from(["{label}", "a/{label}/b c"]))
@example("-rf", "{label}")
@example("‥", "a/{label}/b c")
@example("x" * 500, "{label}")
@settings(deadline=None)
def test_whatever_the_label_an_argument_is_one_and_no_option(label: str, word: str) -> None:
    form = argument_form(label)
    assert re.fullmatch(r"([A-Za-z0-9_]([A-Za-z0-9._-]{0,126}[A-Za-z0-9_])?)?", form)
    assert ".." not in form
    assert argument_form(form) == form
    command = CommandDelivery(shlex.join(["cat", word, "{id}"]))
    command.check()
    assert command._arguments(parcel(label)) == (
        "cat",
        word.replace("{label}", form or "api-key"),
        "id1",
    )


SAID = [
    VALUE[:20] + "\n" + VALUE[20:],
    "\x1b[1m".join(VALUE),
    VALUE.upper(),
    b64encode(VALUE.encode()).decode(),
    b64encode(f"{VALUE}\n".encode()).decode(),
    b64encode(f"u:{VALUE}".encode()).decode(),
    b64encode(f"{{{VALUE}".encode()).decode(),
    VALUE.encode().hex(),
    VALUE.encode().hex(" ", 2),
    " ".join(VALUE),
    VALUE[9:17],
    "x" * 10 + VALUE[1:],
]


@pytest.mark.parametrize("said", SAID)
def test_parts_of_the_secret_in_any_disguise_are_not_shown(said: str) -> None:
    shown = last_words(f"stored\n{said}\n".encode(), VALUE.encode())
    assert shown == "(not shown, as it holds parts of the secret)"


@given(st.binary() | st.text().map(str.encode), st.binary(max_size=60))
@example(b"\xff" * 300 + VALUE.encode(), VALUE.encode())
@example(b"\x1b[31m" * 9000, b"")
@settings(deadline=None)
def test_the_last_words_are_short_and_safe(output: bytes, secret: bytes) -> None:
    shown = last_words(output, secret)
    assert shown.isprintable()
    assert len(shown) <= LONGEST
    if len(secret) > 9:
        assert secret.decode(errors="replace") not in shown
