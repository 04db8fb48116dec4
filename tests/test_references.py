"""Each section that is referred to is there, as in `(contract 4)`, and each file that is named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = ("contract", "faults")
"""The documents in docs/ whose sections are referred to."""
SOURCES = {".md", ".py", ".tcss"}

_HEADING = re.compile(r"^##+ ([0-9]+(?:\.[0-9]+)*|[A-Z])\. ", re.MULTILINE)
_SECTION = r"[0-9]+(?:\.[0-9]+)*|[A-Z](?:\.?[0-9]+)*"
_NEXT = re.compile(rf"(?:,|,?[\s#]+and|,?[\s#]+or)[\s#]+({_SECTION})\b")
_PATH = re.compile(r"`((?:\w[\w.-]*/)+[\w.-]+|\w+\.(?:py|toml))`((?:,? `\w+`)*)")
"""A path, and after it the names that are defined in its file."""
_NAME = re.compile(r"\w+")
_REFERENCE = re.compile(rf"\b({'|'.join(DOCUMENTS)})\b,?[\s#]+({_SECTION})\b")


def sections_of(document: str) -> set[str]:
    """Return the numbers or letters that the headings of a document begin with."""
    return set(_HEADING.findall(document))


def references_in(text: str) -> Iterator[tuple[int, str, str]]:
    """Give line, document and section of each reference, wherever a line breaks in it."""
    for match in _REFERENCE.finditer(text):
        following: re.Match[str] | None = match
        section = match[2]
        while following is not None:
            yield text.count("\n", 0, following.start()) + 1, match[1], section
            following = _NEXT.match(text, following.end())
            section = following[1] if following else ""


def dangling(sources: Iterable[Path], sections: Mapping[str, set[str]]) -> list[str]:
    """Return file, line and name of each reference to a section that no document has."""
    return [
        f"{path}:{line}: {document} {section}"
        for path in sources
        for line, document, section in references_in(path.read_text(encoding="utf-8"))
        if section not in sections[document]
    ]


def missing(document: str) -> list[str]:
    """Return the paths that a document names and nobody finds, and the names that are not there."""
    complaints = []
    for path, names in _PATH.findall(document):
        places = [place for place in (ROOT / "tui" / path, ROOT / path) if place.exists()]
        text = places[0].read_text(encoding="utf-8") if places and places[0].is_file() else ""
        complaints += [] if places else [path]
        complaints += [
            f"{path} {name}" for name in _NAME.findall(names) if not re.search(rf"\b{name}\b", text)
        ]
    return complaints


def sources() -> list[Path]:
    folders = [ROOT / name for name in ("tui", "tests", "docs")]
    inside = [path for folder in folders for path in folder.rglob("*") if path.suffix in SOURCES]
    return sorted([*inside, *ROOT.glob("*.md")])


def test_each_section_that_is_referred_to_is_there() -> None:
    sections = {
        name: sections_of((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8"))
        for name in DOCUMENTS
    }
    assert dangling(sources(), sections) == []


def test_the_sources_refer_to_both_documents() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sources()]
    assert {name for text in texts for _, name, _ in references_in(text)} == {*DOCUMENTS}


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("Sign out ({contract} 2).", [(1, "2")]),
        ("A form ({contract} 5.1)", [(1, "5.1")]),
        ("One\ntwo ({contract} 2, sign out)", [(2, "2")]),
        ("The gate ({contract} 6 and 8)", [(1, "6"), (1, "8")]),
        ("Three ({contract} 2, 3 and 5.1)", [(1, "2"), (1, "3"), (1, "5.1")]),
        ("every shape of {contract} 5's, shown", [(1, "5")]),
        ("broken ({contract}\n    # 4)", [(1, "4")]),
        ("broken ({contract} 3\nand 4)", [(1, "3"), (1, "4")]),
        ("by the {contract}, and nothing else", []),
        ("the {contract} of 2026", []),
    ],
)
def test_references_are_found_however_they_are_written(
    written: str, named: list[tuple[int, str]]
) -> None:
    text = written.format(contract="contract")
    assert list(references_in(text)) == [(line, "contract", section) for line, section in named]


@pytest.mark.parametrize("written", ["({faults}, A)", "({faults} A)", "({faults}, A and B)"])
def test_references_by_letter_are_found(written: str) -> None:
    references = list(references_in(written.format(faults="faults")))
    assert references[0] == (1, "faults", "A")
    assert [section for _, _, section in references[1:]] == ["B"] * ("B" in written)


def test_only_headings_make_sections() -> None:
    document = (
        "# Title\n## 1. Transport\n\n1. first\n\n### 1.2. Proxies\n\n## Notes\n\n## A. Text\n"
    )
    assert sections_of(document) == {"1", "1.2", "A"}


def test_a_reference_to_a_missing_section_is_told_with_file_and_line(tmp_path: Path) -> None:
    numbered, lettered = DOCUMENTS
    source = tmp_path / "gate.py"
    source.write_text(
        f"first = 1  # ({numbered} 1)\n# ({numbered} 1 and 9)\n"
        f"# ({lettered}, A)\n# ({lettered} Q)\n"
    )
    complaints = dangling([source], {numbered: {"1"}, lettered: {"A"}})
    assert complaints == [f"{source}:2: {numbered} 9", f"{source}:4: {lettered} Q"]


def test_each_file_that_the_architecture_names_is_there() -> None:
    document = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## Words")
    assert len(_PATH.findall(document[0])) > 100
    assert missing(document[0]) == []


def test_a_missing_file_or_name_is_told() -> None:
    document = (
        "`text.py` `plain`, `plai` and `tests/nowhere`, `nowhere.py`: `waiting.py` `T`, `x.y`"
    )
    assert missing(document) == ["text.py plai", "tests/nowhere", "nowhere.py"]
