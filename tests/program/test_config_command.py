"""What is configured, what is in force, and what is wrong, as the command line tells it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROD = """\
theme = "light"
lock_after = 5

[servers.prod]
url = "https://momentum.example"
user = "ops"
read_only = true
password_command = ["pass", "show", "momentum/prod"]
deliver = { vault = "vault kv put x key=-" }

[servers.test]
url = "https://test.example"
theme = "contrast"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "momentum-keys" / "config.toml"
    path.parent.mkdir()
    return path


def run(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tui", *arguments]
    env = {**os.environ, "XDG_CONFIG_HOME": str(config.parent.parent), "HOME": "/nonexistent"}
    return subprocess.run(  # noqa: S603  # this very interpreter, with our own arguments
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=env
    )


def output_of(config: Path, *arguments: str) -> str:
    ran = run(config, "config", *arguments)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def test_the_example_can_be_used_as_it_is(config: Path) -> None:
    text = output_of(config, "example")
    config.write_text(text)
    assert output_of(config, "check") == f"{config}: 1 server, no faults.\n"
    uncommented = [
        line.removeprefix("# ") if " = " in line and "client_secret_command" not in line else line
        for line in text.splitlines()
        if not line.startswith("# ") or line[2:].split(" = ")[0].replace("_", "").isalpha()
    ]
    config.write_text("\n".join(uncommented))
    ran = run(config, "config", "show", "prod")
    assert ran.returncode == 0, f"every example is a good value: {ran.stderr}"
    assert ran.stdout.count(" default ") == 1, "all but the secret's other source"


def test_without_an_action_the_actions_are_listed(config: Path) -> None:
    ran = run(config, "config")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert all(action in ran.stderr for action in ("list", "show", "check", "example", "path"))


def test_what_there_is_without_a_file(config: Path) -> None:
    assert output_of(config, "path") == f"{config}\n"
    for action in ("list", "check"):
        assert output_of(config, action).startswith(f"There is no configuration at {config}; ")
    assert "(there is no such file)" in output_of(config, "show")
    assert "no such file" in run(config, "config", "check", f"{config}.not").stderr


def test_the_servers_and_what_is_in_force_for_one(config: Path) -> None:
    config.write_text(PROD)
    assert output_of(config, "list").splitlines() == [
        "prod  https://momentum.example  ops  read-only",
        "test  https://test.example",
    ]
    shown = {
        line.split()[0]: line.split() for line in output_of(config, "show", "prod").splitlines()[2:]
    }
    assert shown["url"][1:] == ["config.toml:5", '"https://momentum.example"']
    assert shown["theme"][1:] == ["config.toml:1", '"light"']
    assert shown["password_command"][1] == "config.toml:8"
    assert shown["color"][1:] == ["default", "none"]
    lines = output_of(
        config, "show", "test", "--theme", "sixteen", "--lock-after", "2"
    ).splitlines()
    assert any(line.split() == ["theme", "--theme", '"sixteen"'] for line in lines)
    assert any(line.split() == ["lock_after", "--lock-after", "2"] for line in lines)


FAULTS = [
    (b"theme = light\n", ["1:9: this is no value: a text stands in quotes, and"]),
    (b'theme = "ligth"\n', ["1:9: theme must be one of momentum, light,", "did you mean light?"]),
    (b'theem = "light"\n', ["1:1: there is no setting theem; did you mean theme?"]),
    (b"\xef\xbb\xbfxyz = 1\r\n", ["1:1: there is no setting xyz; there are read_only,"]),
    (b'url = "https://x"\n', ["1:1: url belongs in a table [servers.NAME]"]),
    (b'[servers.a]\nurl = "https://x"\njournal = "x"\n', ["3:1: journal belongs above all tables"]),
    (b"a = 1\nb = \xff\n", ["2:5: this is not UTF-8"]),
    (b'[servers.a]\nurl = "https://x\n', ["2:17: a quotation mark isn't closed on this line"]),
    (
        b"[server.a]\nurl = 'https://x'\n",
        ["1:2: there is no setting server; did you mean servers"],
    ),
    (b"[prod]\nurl = 'https://x'\n", ["1:2: a server's table is [servers.prod]"]),
    (b"[servers]\nurl = 'https://x'\n", ["2:1: url belongs in a server's table: [servers.NAME]"]),
    (b"ascii = 1\nno_mouse = 'x'\n", ["1:9: ascii must be true or false", "2:12: no_mouse must"]),
    (b"lock_after = true", ["1:14: lock_after must be a number of minutes from 0"]),
    (b"lock_after = nan", ["1:14: lock_after must be a number of minutes from 0"]),
    (b"[servers.a]\nuser = 'x'\n", ["1:10: the server a has no url"]),
    (b"list_limit = 0", ["1:14: list_limit must be a whole number of MiB from 1 to 4096"]),
    (b"list_limit = 1.5", ["1:14: list_limit must be a whole number of MiB from 1 to 4096"]),
    (b"servers = 3", ["1:1: servers are tables: [servers.NAME]"]),
    (b"[[servers]]\nurl = 'https://x'", ["1:3: servers are tables"]),
    (b"[servers.config]\nurl = 'https://x'", ["1:10: config is a command"]),
    (b"[servers.'a b']\nurl = 'https://x'", ["1:10: a server's name is up to 40 letters"]),
    (b"[servers.a]\nurl = 'http://192.0.2.1'", ["2:7: url begins with http://"]),
    (b"[servers.a]\nurl = 'https://x/ui'", ["2:7: url can't be called: "]),
    (b"[servers.a]\nurl = 'https://u:hunter2@x'", ["2:7: url can't be called: "]),
    (
        b"[servers.a]\nurl = 'https://x'\npassword = 'hunter2'",
        ["3:1: password: this file must not"],
    ),
    (b"[servers.a]\nurl = 'https://x'\npasword = 'hunter2'", ["3:1: there is no setting pasword"]),
    (
        b"[servers.a]\nurl = 'https://x'\npassword_command = 'pass show x'",
        ['3:20: password_command must be a list of texts, as in ["pass", "show"'],
    ),
    (b"[servers.a]\nurl = 'https://x'\ncolor = 'pink'", ["3:9: color must be one of red, yellow"]),
    (b"[servers.a]\nurl = 'https://x'\nsubaccount = 0", ["3:14: subaccount must be the number"]),
    (b"[servers.a]\nurl = 'https://x'\napi_prefix = 'v1'", ["3:14: api_prefix must be a path"]),
    (
        b"[servers.a]\nurl = 'https://x'\nclient_secret_file = 'x'\n",
        ["3:1: client_secret_file needs a client_id beside it"],
    ),
    (b'rotate_after = { a = "1d", b = "x" }', ['1:32: rotate_after must be an age: "90d" (days)']),
    (b"rotate_after = 90", ["1:16: rotate_after must be an age"]),
    (b"[deliver]\nvault = 'vault {secret}'", ["2:9: deliver vault: The secret is given on"]),
    (b"[deliver]\nvault = 'echo > x'", ["2:9: deliver vault: No shell runs the command"]),
    (
        b"[keys]\n'keys.rotat' = 'R'",
        ["2:1: keys.rotat: there is no such command; did"],
    ),
]


@pytest.mark.parametrize(("content", "messages"), FAULTS)
def test_a_wrong_file_is_told_by_line_and_column(
    config: Path, content: bytes, messages: list[str]
) -> None:
    config.write_bytes(content)
    ran = run(config, "config", "check")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert all(line.startswith(f"momentum-keys: {config}:") for line in ran.stderr.splitlines())
    for message in messages:
        assert message in ran.stderr
    assert "hunter2" not in ran.stderr


def test_a_wrong_file_keeps_the_program_from_starting(config: Path) -> None:
    config.write_text("theem = 1\n[servers.a]\nurl = 'https://x'\n")
    ran = run(config, "a")
    assert ran.returncode == 2
    assert f"{config}:1:1: there is no setting theem" in ran.stderr


def test_what_a_file_refers_to_and_is_missing(config: Path) -> None:
    config.write_text(
        "[servers.a]\nurl = 'https://x'\nca_file = '" + "deep/" * 40 + "none.pem'\n"
        "password_command = ['no-such-pass']\n"
        "deliver = { vault = 'no-such-vault x' }\nclient_id = 'x'\nclient_secret_file = 'none'\n"
    )
    ran = run(config, "config", "check", str(config))
    assert ran.returncode == 2
    lines = [line.removeprefix(f"momentum-keys: {config}:") for line in ran.stderr.splitlines()]
    assert [line.split(": ")[:2] for line in lines] == [
        ["3:1", "ca_file"], ["4:1", "password_command"], ["5:1", "deliver"],
        ["7:1", "client_secret_file"],
    ]  # fmt: skip
    assert f"{config.parent}/{'deep/' * 40}none.pem: it does not exist" in lines[0]


def test_a_file_that_everybody_can_change_is_refused(config: Path) -> None:
    config.write_text(PROD)
    config.chmod(0o666)
    assert "everybody can change it" in run(config, "config", "check").stderr
    config.unlink()
    config.mkdir()
    assert "it can't be read: Is a directory" in run(config, "config", "check").stderr


def test_no_folder_is_no_configuration(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    shown = output_of(file / "momentum-keys" / "config.toml", "show")
    assert "(there is no such file)" in shown


def test_a_server_that_there_is_not(config: Path) -> None:
    config.write_text(PROD)
    for arguments in (["prd"], ["config", "show", "prd"]):
        ran = run(config, *arguments)
        assert ran.returncode == 2
        assert f"server 'prd' in {config}; did you mean prod?" in ran.stderr


@pytest.mark.parametrize("arguments", [["config", "chek"], ["config", "show", "a", "b"]])
def test_words_that_config_does_not_take(config: Path, arguments: list[str]) -> None:
    ran = run(config, *arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("momentum-keys config")


def test_an_address_with_a_password_is_shown_nowhere(config: Path) -> None:
    ran = run(config, "config", "show", "--url", "https://ops:hunter2@x")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "hunter2" not in ran.stderr


def test_its_help(config: Path) -> None:
    assert "print a file with every setting explained" in output_of(config, "--help")
    assert "momentum-keys config show [-h] [SERVER]" in output_of(config, "show", "--help")
    assert "momentum-keys config check [-h] [FILE]" in output_of(config, "check", "--help")
