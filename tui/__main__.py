"""`python -m tui` is `momentum-keys`."""

from tui.cli import run

if __name__ == "__main__":
    run()
