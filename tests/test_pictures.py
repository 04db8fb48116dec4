"""The pictures that are kept, and the way they are drawn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import resvg_py
from textual.app import App, ComposeResult
from textual.widgets import Static

from tests import moving_picture, pictures
from tests.moving_picture import MovingPicture
from tests.pictures import picture, picture_drift, settled


class Card(App[None]):
    """Shows a text in a box."""

    CSS = "Static { border: round red; }"

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def compose(self) -> ComposeResult:
        yield Static(self.text, markup=False)


async def take(text: str, name: str = "card", **replace: str) -> None:
    app = Card(text)
    async with app.run_test(size=(40, 5)):
        picture(app, name, replace)


async def svg_of(text: str) -> str:
    app = Card(text)
    async with app.run_test(size=(40, 5)):
        return app.export_screenshot(title="momentum-keys")


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "screenshots"
    monkeypatch.setattr(pictures, "FOLDER", folder)
    monkeypatch.delenv("PICTURES", raising=False)
    return folder


@pytest.fixture
def writing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write into the folder; where no font is installed, too, an empty PNG can be drawn."""
    empty = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    monkeypatch.setattr(pictures, "drawn_png", lambda _: resvg_py.svg_to_bytes(empty))
    monkeypatch.setenv("PICTURES", "write")
    return folder


def test_the_pictures_that_are_kept_are_whole() -> None:
    assert picture_drift() == []


async def test_a_picture_is_written_and_then_compared(
    writing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await take("✓ here")
    assert files(writing) == ["card.png", "card.svg"]
    assert picture_drift() == []
    monkeypatch.delenv("PICTURES")
    await take("✓ here")
    with pytest.raises(pytest.fail.Exception) as caught:
        await take("× gone")
    complaint = str(caught.value)
    assert complaint.startswith("screenshots/card.svg is not what the program shows now. ")
    assert complaint.endswith("renew it: PICTURES=write pytest tests/test_pictures.py")
    assert "\n" not in complaint


async def test_a_picture_that_is_not_there_fails(folder: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match=r"There is no screenshots/card\.svg yet\."):
        await take("here")
    assert files(folder) == []


async def test_a_png_that_is_right_is_not_drawn_again(
    writing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_: str) -> bytes:
        raise AssertionError

    await take("here")
    monkeypatch.setattr(pictures, "drawn_png", never)
    await take("here")
    with pytest.raises(AssertionError):
        await take("elsewhere")


async def test_drift_is_named(writing: Path) -> None:
    for name in ("missing", "old", "left-over", "undigested", "good"):
        await take("here", name)
    (writing / "missing.png").unlink()
    (writing / "old.svg").write_text("<svg/>")
    (writing / "left-over.svg").unlink()
    (writing / "undigested.png").write_bytes(b"no picture")
    (writing / "notes.txt").touch()
    assert [complaint.split(".")[0] for complaint in picture_drift()] == [
        "screenshots/left-over",
        "screenshots/missing",
        "screenshots/notes",
        "screenshots/old",
        "screenshots/undigested",
    ]


async def test_a_moving_picture_is_written_and_then_compared(
    writing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = pictures.drawn_png("")
    monkeypatch.setattr(moving_picture, "drawn_png", lambda *_: empty)
    await move("one", "two")
    assert (files(writing), picture_drift()) == (["card.png"], [])
    png = (writing / "card.png").read_bytes()
    kinds = [kind for kind, _ in pictures.chunks(png)]
    assert kinds == [b"IHDR", b"tEXt", b"acTL", b"fcTL", b"IDAT", b"fcTL", b"fdAT", b"IEND"]
    monkeypatch.delenv("PICTURES")
    await move("one", "two")
    for texts in (("one",), ("one", "three"), ("one", "two", "three")):
        with pytest.raises(pytest.fail.Exception, match=r"card\.png is not what the program shows"):
            await move(*texts)


async def move(*texts: str) -> None:
    moving = MovingPicture("card")
    for text in texts:
        app = Card(text)
        async with app.run_test(size=(40, 5)):
            moving.add_frame(app, 1)
    moving.keep()


async def test_nothing_comes_from_the_network() -> None:
    svg = settled(await svg_of("here"))
    assert "@font-face" not in svg
    assert set(re.findall(r"https?://[^\"<\s]+", svg)) == {"http://www.w3.org/2000/svg"}
    assert set(re.findall(r"url\(([^)]*)\)", svg)) == {"#terminal-clip-terminal"}
    assert re.findall("font-family: (.*);", svg) == [pictures.FAMILIES] * 2


async def test_two_runs_give_the_same() -> None:
    first = settled(await svg_of("http://127.0.0.1:40001 key 9ac1"), {"9ac1": "0000"})
    second = settled(await svg_of("http://127.0.0.1:59999 key 77fe"), {"77fe": "0000"})
    assert first == second
    assert "127.0.0.1:43210" in first


def test_a_replacement_keeps_the_columns() -> None:
    with pytest.raises(AssertionError, match="differ in length"):
        settled("<svg/>", {"long": "longer"})


async def test_a_replacement_may_hold_spaces_and_signs() -> None:
    svg = settled(await svg_of("from <a & b> on"), {"<a & b>": "<c & d>"})
    assert "&lt;c&#160;&amp;&#160;d&gt;" in svg
    assert ";a&#160;" not in svg


async def test_a_row_is_as_long_as_its_cells() -> None:
    svg = settled(await svg_of("x" * 20))
    length = re.search(r'textLength="([\d.]+)">x{20}', svg)
    assert length
    assert float(length[1]) == pytest.approx(19 * pictures.CELL + pictures.ADVANCE, abs=0.06)
