"""A moving picture of the program: frames drawn by a test, kept as one animated PNG (APNG).

It carries the digests of its frames, so that no font is needed to see whether the program still
shows them. It is renewed by running its test with PICTURES=write in the environment.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from textual.app import App

from tests import pictures
from tests.driver import Page
from tests.pictures import NOTHING, SIGNATURE, chunks, drawn, drawn_png, how_to_renew

ROW = 26
"""How many pixels high a row is: the whole picture is to stay small."""
LARGEST = 1_000_000
"""How many bytes it may have."""
DIGESTS = b"frames-sha256\0"


class MovingPicture:
    """Frames of a walk through the program, for `screenshots/NAME.png`."""

    def __init__(self, name: str, replace: Mapping[str, str] = NOTHING) -> None:
        self._path = pictures.FOLDER / f"{name}.png"
        self._replace = replace
        self._frames: list[tuple[str, float]] = []
        self._kept = kept_digests(self._path)
        self._is_kept = True

    async def add(self, page: Page, seconds: float) -> None:
        """Add what is shown now, to be seen for so long: the frame that is kept, once it comes."""
        await page.me.settle()
        wanted = next(iter(self._kept[len(self._frames) :]), None)
        if self._is_kept and not is_writing() and wanted is not None:
            try:
                await page.me.until(lambda: _digest(self._drawn(page.me.app)) == wanted, seconds=20)
            except AssertionError:
                self._is_kept = False
        self.add_frame(page.me.app, seconds)

    def add_frame(self, app: App[Any], seconds: float) -> None:
        """Add what an app shows at this moment."""
        self._frames.append((self._drawn(app), seconds))

    def _drawn(self, app: App[Any]) -> str:
        return drawn(app, self._replace)

    def keep(self) -> None:
        """Compare the frames with those that are kept, or renew them under PICTURES=write."""
        digests = [_digest(svg) for svg, _ in self._frames]
        if is_writing():
            frames = [(drawn_png(svg, ROW), seconds) for svg, seconds in self._frames]
            animated = b"".join(_animated(frames, b" ".join(digests)))
            assert len(animated) <= LARGEST, f"{self._path.name} has {len(animated):,} bytes"
            self._path.parent.mkdir(exist_ok=True)
            self._path.write_bytes(animated)
        elif self._kept != digests:
            short = f"{self._path.parent.name}/{self._path.name}"
            pytest.fail(f"{short} is not what the program shows now. {how_to_renew()}", False)


def is_writing() -> bool:
    return os.environ.get("PICTURES") == "write"


def kept_digests(path: Path) -> list[bytes]:
    """Return the digests of a moving picture's frames; nothing where it is none."""
    if not path.exists():
        return []
    texts = (body for kind, body in chunks(path.read_bytes()) if kind == b"tEXt")
    kept = (body[len(DIGESTS) :] for body in texts if body.startswith(DIGESTS))
    return next(kept, b"").split()


def _digest(svg: str) -> bytes:
    return sha256(svg.encode()).hexdigest().encode()


def _animated(frames: list[tuple[bytes, float]], digests: bytes) -> Iterator[bytes]:
    """Yield the pieces of an animated PNG from whole PNGs of one size."""
    header = dict(chunks(frames[0][0]))[b"IHDR"]
    yield SIGNATURE
    yield _chunk(b"IHDR", header)
    yield _chunk(b"tEXt", DIGESTS + digests)
    yield _chunk(b"acTL", struct.pack(">II", len(frames), 0))
    number = 0
    for place, (png, seconds) in enumerate(frames):
        parts = chunks(png)
        assert dict(chunks(png))[b"IHDR"] == header, "frames differ in size"
        control = struct.pack(">I8s8xHHBB", number, header[:8], round(seconds * 100), 100, 0, 0)
        yield _chunk(b"fcTL", control)
        number += 1
        for kind, body in parts:
            if kind == b"IDAT" and place == 0:
                yield _chunk(b"IDAT", body)
            elif kind == b"IDAT":
                yield _chunk(b"fdAT", struct.pack(">I", number) + body)
                number += 1
    yield _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
