"""`python -m tui` is `momentum-keys`."""

from tui.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
