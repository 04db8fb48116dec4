"""The node as a child process: it announces itself as one line of JSON, then serves.

It ends when its standard input does, as that is how it hears that the app is gone.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tui.sandbox.options import Announcement, SandboxFailed, SandboxOptions
from tui.sandbox.running import run_node


def main() -> int:
    """Run the node that the arguments ask for; returns the exit code."""
    parser = argparse.ArgumentParser("tui.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--edition", default="momentum-4.2")
    parser.add_argument("--account", default="password")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--no-auth", dest="auth", action="store_false")
    parser.add_argument("--require-client", action="store_true")
    parser.add_argument("--fault", dest="faults", action="append", default=[])
    parser.add_argument("--tls", action="store_true")
    arguments = vars(parser.parse_args())
    options = SandboxOptions(**(arguments | {"faults": tuple(arguments["faults"])}))
    try:
        run_node(options, announce, parent=sys.stdin.fileno())
    except SandboxFailed as failure:
        write_line({"problem": str(failure)})
        return 2
    return 0


def announce(announcement: Announcement) -> None:
    """Tell the parent how to reach the node, secrets included: the pipe is the only way there."""
    write_line(asdict(announcement))


def write_line(message: object) -> None:
    """Write one line of JSON to the parent."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
