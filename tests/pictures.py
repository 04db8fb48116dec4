"""Pictures of the program: drawn by the tests, kept beside the code, compared on every run.

`screenshots/NAME.svg` is what is compared; `NAME.png` is drawn from it for those who cannot show
SVG, and carries its digest, so that no font is needed to see that the two belong together. They are
renewed by running the tests with PICTURES=write in the environment.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from hashlib import sha256
from html import escape, unescape
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import resvg_py
from rich.cells import cell_len
from textual.app import App

FOLDER = Path(__file__).parent.parent / "screenshots"
NOTHING: Mapping[str, str] = MappingProxyType({})

FONT = "DejaVu Sans Mono"
FAMILIES = f'"Fira Code", "{FONT}", monospace'
CELL = 12.2
LINE = 24.4
FONT_SIZE = 21.2
"""Makes a line of box drawing characters as high as a row, so that they join."""
ADVANCE = 0.602 * FONT_SIZE
LOWERED = 0.85
"""How far the text is moved down, so that a full block covers its cell and no other."""
PNG_ROW = 30
"""How many pixels high a row is in a PNG: a whole number, so that edges are sharp."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"
DIGEST = b"svg-sha256\0"


def picture(app: App[Any], name: str, replace: Mapping[str, str] = NOTHING) -> None:
    """Compare what `app` shows with `screenshots/NAME.svg`, or renew it under PICTURES=write.

    `replace` swaps what differs from run to run for something of the same length. A text that is
    shown in more than one style has to be replaced piece by piece.
    """
    svg = drawn(app, replace)
    path = FOLDER / f"{name}.svg"
    if os.environ.get("PICTURES") == "write":
        write(path, svg)
    elif not path.exists():
        pytest.fail(f"There is no {_short(path)} yet. {how_to_renew()}", pytrace=False)
    elif path.read_bytes() != svg.encode():
        pytest.fail(
            f"{_short(path)} is not what the program shows now. {how_to_renew()}", pytrace=False
        )


def is_kept(app: App[Any], name: str, replace: Mapping[str, str] = NOTHING) -> bool:
    """Tell whether `app` shows just what the picture of that name does."""
    path = FOLDER / f"{name}.svg"
    return path.exists() and path.read_bytes() == drawn(app, replace).encode()


def drawn(app: App[Any], replace: Mapping[str, str] = NOTHING) -> str:
    """Return what `app` shows as an SVG that is the same on every run."""
    return settled(app.export_screenshot(title="momentum-keys"), replace)


def picture_drift() -> list[str]:
    """Tell what is wrong in the folder: a PNG that is missing, old or left over, or a stray."""
    complaints = []
    names = {path.name for path in FOLDER.iterdir()} if FOLDER.exists() else set()
    for name in sorted(names):
        path = FOLDER / name
        if path.suffix == ".svg":
            twin = path.with_suffix(".png")
            if twin.name not in names:
                complaints.append(f"{_short(twin)} is missing. {how_to_renew()}")
            elif _digest_in(twin) != _digest(path.read_bytes()):
                complaints.append(f"{_short(twin)} was not drawn from its SVG. {how_to_renew()}")
        elif path.suffix == ".png" and _is_animated(path):
            continue  # its own test compares it
        elif path.suffix != ".png" or path.with_suffix(".svg").name not in names:
            complaints.append(f"{_short(path)} belongs to no picture. Remove it.")
    return complaints


def settled(svg: str, replace: Mapping[str, str] = NOTHING) -> str:
    """Return a screenshot without what differs by run, by machine, or by the network.

    Rich's own picture loads a font from the network, and clips each row where the edges of box
    drawing characters should meet.
    """
    for old, new in replace.items():
        assert len(old) == len(new), f"{old!r} and {new!r} differ in length"
        svg = svg.replace(_as_text(old), _as_text(new))
    svg = re.sub(r"127\.0\.0\.1:\d{5}\b", "127.0.0.1:43210", svg)
    svg = re.sub(r"terminal-\d+", "terminal", svg)
    svg = re.sub(r"\s*<!--.*?-->", "", svg)
    svg = re.sub(r"\s*@font-face \{.*?\}(?=\n)", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\s*<clipPath id="terminal-line-\d+">.*?</clipPath>', "", svg, flags=re.DOTALL)
    svg = re.sub(r' clip-path="url\(#terminal-line-\d+\)"', "", svg)
    svg = re.sub(r"font-family: (Fira Code, monospace|arial);", f"font-family: {FAMILIES};", svg)
    svg = svg.replace("font-size: 20px;", f"font-size: {FONT_SIZE}px;")
    svg = svg.replace(
        '<g class="terminal-matrix">',
        f'<g class="terminal-matrix" transform="translate(0, {LOWERED})">',
    )
    return re.sub(r'textLength="[\d.]+">([^<]*)<', _spaced, svg).replace("><text", ">\n<text")


def _spaced(text: re.Match[str]) -> str:
    """Put each character at the left edge of its cell, whatever the font's own advance is.

    What draws an SVG spreads the difference over the gaps, of which there is one fewer than
    characters.
    """
    cells = cell_len(unescape(text[1]))
    return f'textLength="{CELL * (cells - 1) + ADVANCE:.1f}">{text[1]}<'


def _as_text(plain: str) -> str:
    return escape(plain).replace(" ", "&#160;")


def write(path: Path, svg: str) -> None:
    """Write the SVG, and its PNG unless that is already the right one."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(svg.encode())
    twin = path.with_suffix(".png")
    digest = _digest(svg.encode())
    if not twin.exists() or _digest_in(twin) != digest:
        twin.write_bytes(_with_digest(drawn_png(svg), digest))


def drawn_png(svg: str, row: int = PNG_ROW) -> bytes:
    """Return a PNG of an SVG, with rows of so many pixels."""
    probe = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{}</svg>'
    letter = f'<text y="9" font-size="9" font-family="{FONT}">x</text>'
    empty, shown = (resvg_py.svg_to_bytes(probe.format(inside)) for inside in ("", letter))
    assert empty != shown, f"The font {FONT} is not installed, so no picture can be drawn."
    return resvg_py.svg_to_bytes(svg.replace(FAMILIES, f'"{FONT}"'), zoom=row / LINE)


def _digest(svg: bytes) -> bytes:
    return sha256(svg).hexdigest().encode()


def _with_digest(png: bytes, digest: bytes) -> bytes:
    body = b"tEXt" + DIGEST + digest
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    after_header = len(SIGNATURE) + 25
    return png[:after_header] + chunk + png[after_header:]


def _digest_in(path: Path) -> bytes:
    """Return the digest that a PNG carries, or nothing."""
    texts = (body for kind, body in chunks(path.read_bytes()) if kind == b"tEXt")
    return next((body[len(DIGEST) :] for body in texts if body.startswith(DIGEST)), b"")


def _is_animated(path: Path) -> bool:
    return any(kind == b"acTL" for kind, _ in chunks(path.read_bytes()))


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of a PNG, their kinds and what is in them."""
    at = len(SIGNATURE)
    while at + 12 <= len(png):
        (length,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def how_to_renew() -> str:
    test = os.environ.get("PYTEST_CURRENT_TEST", "").split("::")[0]
    return f"If that is meant so, renew it: PICTURES=write pytest {test}".rstrip()
