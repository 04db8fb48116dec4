"""Bodies of answers, decompressed by what they hold: what headers say of that is often wrong."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator

from tui.api.errors import TooLarge, Unreadable
from tui.text import short

GZIP, ZLIB, RAW_DEFLATE = 31, 15, -15
"""Three forms of deflated data, as zlib's `wbits` names them."""

_GZIP_MAGIC = b"\x1f\x8b"
_ZLIB_MAGIC = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_TEXT = (b"{", b"[", b"<", b'"', b" ", b"\t", b"\r", b"\n", b"\xef\xbb\xbf")
_DEEPEST = 3


class Decompressor:
    """Turns the pieces of a body into `content`, as they come and never beyond `cap` bytes.

    `declared` is the Content-Encoding. It counts only where the body does not show by itself how
    it is compressed; where nobody knows, the content is what came. Raises Unreadable, with the
    answer's `status`, and TooLarge.
    """

    def __init__(self, declared: str, status: int, cap: int) -> None:
        self.content = bytearray()
        self._declared, self._status, self._cap = declared.strip().lower(), status, cap
        self._inflater: zlib._Decompress | None = None
        self._is_chosen = self._is_unknown = False
        self._waiting = b""

    def feed(self, piece: bytes) -> None:
        """Take in a piece."""
        piece, self._waiting = self._waiting + piece, b""
        while piece:
            is_over = self._inflater is not None and self._inflater.eof
            if is_over or not self._is_chosen:
                if len(piece) < 2:
                    self._waiting = piece
                    return
                if is_over and not piece.startswith(_GZIP_MAGIC):
                    return  # what follows compressed data is padding, unless it is a next member
                self._choose(piece)
            piece = self._take(piece)

    def end(self) -> None:
        """Check that the body is whole."""
        if not self._is_chosen:
            self._take(self._waiting)
        if self._is_unknown:
            raise Unreadable(self._status, f"encoded as {short(self._declared, 20)}")
        if self._inflater is not None and not self._inflater.eof:
            raise Unreadable(self._status, "cut off")

    def _choose(self, beginning: bytes) -> None:
        self._is_chosen = True
        if beginning.startswith(_GZIP_MAGIC):
            self._inflater = zlib.decompressobj(GZIP)
        elif beginning.startswith(_ZLIB_MAGIC):
            self._inflater = zlib.decompressobj(ZLIB)
        elif self._declared in {"", "identity"} or beginning.startswith(_TEXT):
            pass
        elif self._declared == "deflate":
            self._inflater = zlib.decompressobj(RAW_DEFLATE)
        else:
            self._is_unknown = True

    def _take(self, piece: bytes) -> bytes:
        """Add what a piece says to the content; returns what of it follows the compressed data."""
        room, rest = self._cap - len(self.content), b""
        if self._inflater is not None:
            try:
                piece = self._inflater.decompress(piece, room + 1)
            except zlib.error:
                raise Unreadable(self._status, "badly compressed") from None
            rest = self._inflater.unused_data
        self.content += piece[:room]
        if len(piece) > room:
            raise TooLarge(self._cap)
        return rest


def readings(raw: bytes, cap: int, depth: int = _DEEPEST) -> Iterator[bytes]:
    """Yield all that a body may say: as it is, as UTF-8, and inflated, damaged or not.

    For the answer that holds a secret which nobody tells again: whatever can be read of it is
    worth reading.
    """
    yield raw
    encoding = json.detect_encoding(raw)
    if encoding not in {"utf-8", "utf-8-sig"}:
        yield raw.decode(encoding, "replace").encode("utf-8", "replace")
    for form in (GZIP, ZLIB, RAW_DEFLATE) if depth else ():
        if inflated := _inflate_damaged(raw, form, cap):
            yield from readings(inflated, cap, depth - 1)


def _inflate_damaged(raw: bytes, form: int, cap: int) -> bytes:
    """Return what can be inflated before any damage."""
    inflater, inflated = zlib.decompressobj(form), bytearray()
    try:
        for at in range(len(raw)):  # by the byte: a failing call gives nothing back
            inflated += inflater.decompress(raw[at : at + 1], cap - len(inflated) + 1)
            if inflater.eof or len(inflated) > cap:
                break
    except zlib.error:
        pass
    return bytes(inflated[:cap])
