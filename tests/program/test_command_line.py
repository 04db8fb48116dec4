"""What is told before, or instead of, starting: each refusal is one sentence."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.program.program import StartProgram
from tests.terminal import Terminal
from tui.cli.arguments import COMMANDS


def run(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    how = ["-c", code] if code else ["-m", "tui"]
    command = [sys.executable, *how, *arguments]
    return subprocess.run(  # noqa: S603  # this very interpreter, with our own arguments
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def refusal(ran: subprocess.CompletedProcess[str]) -> str:
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("momentum-keys")
    assert ran.stderr.count("\n") == 1
    return ran.stderr


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_load_nothing_heavy(option: str) -> None:
    code = (
        "import sys, atexit; from tui.cli import main\n"
        "heavy = {'textual', 'httpx', 'pydantic', 'rich', 'starlette', 'uvicorn', 'asyncio'}\n"
        "atexit.register(lambda: print('loaded', *heavy & {*sys.modules}))\n"
        "main()"
    )
    ran = run(option, code=code)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(("usage: momentum-keys", "momentum-keys "))
    assert ran.stdout.endswith("loaded\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nonsense"], "there is no option --nonsense; see"),
        (["-x"], "there is no option -x; see"),
        (["--ur", "https://x"], "there is no option --ur; did you mean --url?"),
        (["--usrname=ops"], "there is no option --usrname; did you mean --username?"),
        (["sandbox", "--acount", "password"], "did you mean --account?"),
        (["sandox"], "no command or server 'sandox'; did you mean sandbox?"),
        (["list"], "there is no command or server 'list'\n"),
        (["sandox", "now"], "there is no command 'sandox'; did you mean sandbox?"),
        (["sandbox", "now"], "sandbox takes options only, not 'now'"),
        (["https://ops:hunter2@x"], "the server's address goes with --url, as in --url https://"),
        (["mail.example"], "the server's address goes with --url"),
        (["--sandbox", "--port", "99"], "--port, as in momentum-keys sandbox --port 99\n"),
        (["--port", "0"], "only with the sandbox alone: --port, as in"),
        (["--data", "my keys"], "--data, as in momentum-keys sandbox --data 'my keys'\n"),
        (["--sandbox", "--require-client"], "as in momentum-keys sandbox --require-client\n"),
        (
            ["--sandbox", "--require-client", "--port=99"],
            "--port, --require-client, as in momentum-keys sandbox --port 99 --require-client\n",
        ),
        (["sandbox", "--url", "https://x"], "leave out --url\n"),
        (["sandbox", "--port", "70000"], "a port is a number from 0 to 65535"),
        (["sandbox", "--edition", "5"], "invalid choice"),
        (
            ["--sandbox", "--url", "https://x", "--ca-file", "x", "--username", "ops"],
            "the sandbox is a server of its own: leave out --url, --username, --ca-file\n",
        ),
        (
            ["--client-id", "tui", "--allow-http", "sandbox"],
            "the sandbox is a server of its own: leave out --client-id, --allow-http\n",
        ),
        (["--sandbox", "sandbox"], "leave out --sandbox\n"),
        (["--no-auth"], "go with --sandbox"),
        (["--theme", "dark"], "invalid choice: 'dark' (choose from"),
        (["sandbox", "--ascii"], "--theme, --ascii, --no-mouse and --send-all are of"),
        (["--url", "ftp://mail.example"], "--url: only https:// and http:// addresses work"),
        (["--url", "https://"], "--url: this is not a host name or an IP address"),
        (["--url", "https://x:99999"], "--url: the port is not a number from 1 to 65535"),
        (["--url", "https://ops:hunter2@x"], "--url: the address holds a user name or password"),
        (["--url", "https://x/ui/#!/settings"], "leave out everything after https://x\n"),
        (["--url", "http://192.0.2.2:8899"], "or start with --allow-http if it must be\n"),
        (["--ca-file", "/none.pem"], "--ca-file /none.pem: it does not exist\n"),
        (["--ca-file", "/"], "--ca-file /: it is not a file\n"),
        (["--ca-file", "/dev/null"], "--ca-file /dev/null: it is not a file\n"),
        (["--ca-file", __file__], "it holds no certificate in PEM form\n"),
        (["--allow-http", "--url", "http://192.0.2.2:8899"], "this needs a terminal"),
        ([], "this needs a terminal"),
    ],
)
def test_what_cannot_be_started_is_told_in_one_sentence(arguments: list[str], message: str) -> None:
    sentence = refusal(run(*arguments))
    assert message in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize("way", ["</dev/null", ">log", "<log"])
def test_without_a_terminal_on_either_side(tmp_path: Path, way: str) -> None:
    (tmp_path / "log").touch()
    command = f"PYTHONPATH={Path.cwd()} {sys.executable} -m tui {way}"
    with Terminal(["sh", "-c", command], cwd=tmp_path) as terminal:
        assert terminal.wait_exit() == 2
        assert "needs a terminal" in terminal.text.replace("\n", " ")
        assert b"\x1b" not in terminal.raw
    assert (tmp_path / "log").read_bytes() == b""


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_without_any_standard_stream(stream: str) -> None:
    code = f"import sys; sys.{stream} = None; from tui.cli import main; sys.exit(main())"
    assert "this needs a terminal" in refusal(run(code=code))


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (["--no-auth"], "switched off: everybody may do everything"),
        (["--edition", "momentum-4.1"], "momentum-4.1"),
        (["--account", "single-sign-on"], "the account uses single sign-on"),
    ],
)
def test_the_sandboxs_options_count_before_the_command_too(
    start: StartProgram, before: list[str], message: str
) -> None:
    program = start(*before, "sandbox")
    program.wait_for(lambda now: re.search(message, now))
    program.wait_for("It is not a mail server")
    program.press("ctrl+c")
    program.leaves()


INTERRUPTED = """
import signal, sys
from tui import cli
from tui.sandbox import child_process

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "tui.ui.app":
            signal.raise_signal(signal.SIGINT)

def announced(process):
    signal.raise_signal(signal.SIGINT)

if "--sandbox" in sys.argv:
    child_process._announced = announced
else:
    sys.meta_path.insert(0, Finder())
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("arguments", [[], ["--sandbox"]])
def test_ctrl_c_while_it_starts(start: StartProgram, arguments: list[str]) -> None:
    program = start(*arguments, driver=INTERRUPTED)
    program.leaves(130)
    assert program.text.strip() == ""


def test_a_refusal_that_nobody_can_read_has_its_exit_code_all_the_same() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "tui"], stdin=subprocess.DEVNULL, stderr=full, check=False
        )
    assert ran.returncode == 2


def test_no_core_is_dumped(start: StartProgram) -> None:
    program = start("--url", "https://momentum.example")
    program.at_login()
    limits = Path(f"/proc/{program.process.pid}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits)


@pytest.mark.parametrize("name", ["dumb", ""])
def test_a_terminal_that_cannot_be_drawn_on(name: str) -> None:
    with Terminal([sys.executable, "-m", "tui"], env={"TERM": name}) as terminal:
        assert terminal.wait_exit() == 2
        assert f"(TERM={name}) can't be drawn on" in terminal.text
        assert b"\x1b" not in terminal.raw


@pytest.mark.parametrize("arguments", [["sandbox"], ["--sandbox"]])
def test_a_sandbox_without_its_packages(start: StartProgram, arguments: list[str]) -> None:
    code = (
        "import sys, importlib.util as util; find = util.find_spec\n"
        "util.find_spec = lambda name, *of: None if name == 'uvicorn' else find(name, *of)\n"
        "from tui.cli import main; sys.exit(main())"
    )
    program = start(*arguments, driver=code)
    program.leaves(2)
    commands = ["pip install -e '.[sandbox]'", "pipx install --force '.[sandbox]'"]
    readme = Path("README.md").read_text()
    for command in commands:
        assert command in program.text.replace("\n", "")
        assert command in readme


def test_no_debugging_aid_writes_what_is_typed(tmp_path: Path) -> None:
    env = {
        "COLUMNS": "40", "LINES": "10", "HOME": str(tmp_path), "PYTHONPATH": str(Path.cwd()),
        "TEXTUAL": "debug,devtools", "TEXTUAL_DEBUG": "1", "TEXTUAL_LOG": f"{tmp_path}/keys",
        "TEXTUAL_PRESS": "a", "TEXTUAL_SCREENSHOT": "0.1", "TMPDIR": str(tmp_path),
    }  # fmt: skip
    with Terminal([sys.executable, "-m", "tui"], env=env, cwd=tmp_path) as terminal:
        terminal.wait_for("F1 Help")
        wide = "Manage the API keys of a Momentum or SparkPost server: see who may"
        assert wide in terminal.text, "80 columns, whatever the environment says"
        terminal.send("https://typed.example")
        terminal.wait_for("https://typed.example")
        terminal.press("ctrl+q")
        assert terminal.wait_exit() == 0
    assert [*tmp_path.rglob("*")] == []


def test_help_for_a_status_prints_its_meanings_alone() -> None:
    ran = run("help", "403")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "• You are not permitted to do this. Status 403:" in ran.stdout
    assert "Status 401" not in ran.stdout
    assert "the manual has no page '299'" in refusal(run("help", "299"))


def test_the_help_of_each_command_is_its_own() -> None:
    whole, sandbox = run("--help").stdout, run("sandbox", "--help").stdout
    for name, does in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(does)}$", whole, re.MULTILINE)
        assert run(name, "--help").stdout.startswith(f"usage: momentum-keys {name} ")
    assert "--port N" in sandbox
    assert "--url" not in sandbox


def test_help_for_a_word_that_is_no_page_names_the_pages_that_hold_it() -> None:
    ran = run("help", "port")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "  smtp     SMTP with a key\n" in ran.stdout
    assert "has no page 'xyzzy'; momentum-keys help lists them" in refusal(run("help", "xyzzy"))
