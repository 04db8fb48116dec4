"""Passwords from commands and files, and what is told where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.config.secret_sources import NoSecretRead, secret_of_command, secret_of_file


async def refusal(*command: str, seconds: float = 20) -> str:
    with pytest.raises(NoSecretRead) as refused:
        await secret_of_command(command, seconds)
    return refused.value.sentence


@pytest.mark.parametrize(
    ("output", "secret"),
    [
        (r"hunter2\n", "hunter2"),
        (r"hunter2", "hunter2"),
        (r"hunter2\r\nurl: x\n", "hunter2"),
        (r" two words \n", " two words "),
        (r"p\303\244ss\n", "päss"),
    ],
)
async def test_the_first_line_is_the_password(output: str, secret: str) -> None:
    password = await secret_of_command(("printf", output))
    assert password.get_secret_value() == secret
    assert secret not in repr(password)


async def test_no_shell_and_no_terminal() -> None:
    password = await secret_of_command(("printf", "%s\n", "$HOME; `id` | x"))
    assert password.get_secret_value() == "$HOME; `id` | x"
    script = "if read line || (: < /dev/tty) 2> /dev/null; then echo asked; else echo alone; fi"
    assert (await secret_of_command(("sh", "-c", script))).get_secret_value() == "alone"


async def test_a_failure_tells_the_error_and_nothing_of_the_output() -> None:
    script = "echo hunter2-hunter2; echo 'no such entry' >&2; exit 3"
    sentence = await refusal("sh", "-c", script)
    assert sentence.endswith(" failed (exit 3). It said: no such entry")
    script = "printf '%s-%s\\n' wrong horse | tee /dev/stderr; exit 1"
    assert (await refusal("sh", "-c", script)).endswith("(exit 1). It said: •••")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("no-such-program-anywhere",), "There is no program no-such-program-anywhere here"),
        (("true",), "What true gives first is no password: it is empty or too long."),
        (("printf", r"\nsecond"), "it is empty or too long"),
        (("printf", r"\377"), "is not text"),
        (("sh", "-c", "kill -9 $$"), "failed (signal 9). It said nothing."),
        (("sh", "-c", "head -c 9999 /dev/zero | tr '\\0' x"), "it is empty or too long"),
    ],
)
async def test_a_command_without_a_password(command: tuple[str, ...], message: str) -> None:
    assert message in await refusal(*command)


async def test_a_command_that_goes_on_and_on_is_ended() -> None:
    assert await refusal("yes", seconds=0.3) == "yes did not finish within 0.3 s."


async def test_a_child_that_lives_on_keeps_nobody_waiting() -> None:
    command = ("sh", "-c", "sleep 60 & echo hunter2")
    assert (await secret_of_command(command, 20)).get_secret_value() == "hunter2"


async def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("abc\nmore\n")
    assert (await secret_of_file(path)).get_secret_value() == "abc"
    deep = tmp_path.joinpath(*["deep" * 30] * 3, "none")
    for wrong, message in ((tmp_path, "is a directory"), (deep, "no such file or directory")):
        with pytest.raises(NoSecretRead) as refused:
            await secret_of_file(wrong)
        assert str(refused.value) == f"{wrong} can't be read: {message}."
