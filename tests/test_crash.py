"""The report of a crash: where it happened, and nothing of what the program held."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from tui.api.errors import ErrorEntry, Invalid, SignInRefused
from tui.crash import write_report

SECRET = "9ac1hunter2"


class Model(BaseModel):
    """Something that does not validate."""

    count: int


class Carrier(Exception):  # the worker's failure in Textual is made like this one
    """An error that carries another one."""

    def __init__(self, error: object) -> None:
        super().__init__(SECRET)
        self.error = error


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    """Raise an error where a local variable holds a secret, and return it."""
    password = SECRET
    try:
        raise error from cause
    except type(error) as caught:
        assert password
        return caught


def report(error: BaseException) -> str:
    path = write_report(error)
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path.read_text(encoding="utf-8")


def invalid() -> BaseException:
    try:
        Model(count=SECRET)  # type: ignore[arg-type]  # that is the fault
    except ValidationError as error:
        return error
    raise AssertionError


ERRORS: dict[str, Callable[[], BaseException]] = {
    "text": lambda: raised(ValueError(SECRET)),
    "key": lambda: raised(KeyError(SECRET)),
    "decoding": lambda: raised(UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET)),
    "validation": invalid,
    "server": lambda: raised(Invalid(400, (ErrorEntry(SECRET, SECRET),))),
    "sign-in": lambda: raised(SignInRefused(400, SECRET, SECRET)),
    "cause": lambda: raised(RuntimeError(SECRET), raised(OSError(5, SECRET, SECRET))),
    "carried": lambda: raised(Carrier(raised(ValueError(SECRET)))),
    "carried text": lambda: raised(Carrier(SECRET)),
    "group": lambda: raised(ExceptionGroup(SECRET, [ValueError(SECRET)])),
    "secret": lambda: raised(ValueError(SecretStr(SECRET))),
}


@pytest.mark.parametrize("name", ERRORS)
def test_it_tells_where_but_no_value(name: str) -> None:
    error = ERRORS[name]()
    report_text = report(error)
    assert "hunter2" not in report_text
    assert f"{type(error).__module__}.{type(error).__qualname__}" in report_text
    assert "test_crash.py:" in report_text
    assert "momentum-keys" in report_text.splitlines()[0]


def test_it_tells_the_causes_too() -> None:
    report_text = report(raised(RuntimeError("outer"), raised(KeyError("inner"))))
    assert report_text.index("builtins.RuntimeError") < report_text.index("builtins.KeyError")
    carried = report(raised(Carrier(raised(LookupError("inner")))))
    assert "builtins.LookupError" in carried


def test_it_ends_even_where_the_causes_go_round() -> None:
    one, other = ValueError("one"), KeyError("other")
    one.__cause__, other.__cause__ = other, one
    assert report(one).count("builtins.ValueError") == 1


def test_without_a_place_for_it_there_is_none(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(temporary / "none"))
    assert write_report(ValueError("x")) is None


def test_a_full_disk_does_not_crash_the_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, *_: object, **__: object) -> IO[str]:
        os.close(handle)
        return Path("/dev/full").open("w", encoding="utf-8")

    monkeypatch.setattr("os.fdopen", full)
    assert write_report(ValueError("x")) is None
