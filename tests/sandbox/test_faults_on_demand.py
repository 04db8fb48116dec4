"""The faults that `--fault` asks the sandbox for."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.sandbox.conftest import Nodes
from tests.sandbox.visitor import Visitor
from tui.sandbox.fault_options import FAULTS, FaultOption
from tui.sandbox.options import SandboxOptions


def labels(visitor: Visitor) -> list[str]:
    listed = visitor.get("/api-keys", visitor.node.token()).json()["results"]
    return [key["label"] for key in listed]


def test_a_create_is_done_and_its_answer_dropped(start: Nodes) -> None:
    visitor = start(seeds=False, faults=("drop-after-create=2",))
    for number in (1, 2):
        with pytest.raises(httpx.ReadError):
            visitor.create()
        assert labels(visitor) == ["Trial"] * number
    assert visitor.create(label="").status_code == 400, "what is refused is not dropped"
    assert visitor.create().status_code == 200


def test_every_create_is_dropped_where_no_number_stands(start: Nodes) -> None:
    visitor = start(seeds=False, faults=("drop-after-create",))
    for _ in range(3):
        with pytest.raises(httpx.ReadError):
            visitor.create()


def test_answers_come_late(start: Nodes) -> None:
    visitor = start(faults=("slow=0.2",))
    started = time.monotonic()
    assert visitor.get("/metrics").status_code == 401
    assert time.monotonic() - started >= 0.2


def test_too_many_requests_a_second_are_refused(start: Nodes) -> None:
    """However slow the host: of six in a row, within a second or not, one at least gets in."""
    visitor = start(faults=("rate=1/s",))
    statuses = []
    while 429 not in statuses:
        answers = [visitor.get("/metrics") for _ in range(6)]
        statuses += [answer.status_code for answer in answers]
    assert statuses[0] == 401
    assert next(a.headers["Retry-After"] for a in answers if a.status_code == 429) == "1"


def test_a_list_lags_behind_what_was_written(start: Nodes) -> None:
    visitor = start(seeds=False, faults=("stale-list=9999",))
    visitor.node.add_key("Before")
    assert visitor.create(label="After").status_code == 200
    assert labels(visitor) == ["Before"]
    assert visitor.get("/api-keys").status_code == 401, "the gate is not stale"
    fresh = start(seeds=False, faults=("stale-list=0.001",))
    assert fresh.create(label="After").status_code == 200
    while labels(fresh) != ["After"]:
        pass


def test_a_list_in_part_says_so(start: Nodes) -> None:
    visitor = start(seeds=False, faults=("list-in-part",))
    assert labels(visitor) == []
    visitor.create(label="First")
    visitor.create(label="Second")
    answer = visitor.get("/api-keys", visitor.node.token()).json()
    assert [key["label"] for key in answer["results"]] == ["First"]
    assert answer["total_count"] == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("hail", "There is no fault 'hail'; there are drop-after-create, slow, rate"),
        ("", "There is no fault ''"),
        ("slow", "--fault slow goes as in slow=2."),
        ("slow=", "--fault slow goes as in slow=2."),
        ("slow=-1", "--fault slow goes as in slow=2."),
        ("slow=0", "--fault slow goes as in slow=2."),
        ("slow=2/s", "--fault slow goes as in slow=2."),
        ("slow=nan", "--fault slow goes as in slow=2."),
        ("slow=99999", "--fault slow goes as in slow=2."),
        ("rate=2", "--fault rate goes as in rate=2/s."),
        ("list-in-part=1", "--fault list-in-part takes no value."),
        ("drop-after-create=x", "--fault drop-after-create goes as in drop-after-create=1."),
    ],
)
def test_a_fault_that_there_is_not_is_told(text: str, sentence: str) -> None:
    problem = SandboxOptions(faults=("slow=1", text)).problem()
    assert problem
    assert problem.startswith(sentence)


@pytest.mark.parametrize("option", FAULTS, ids=lambda option: option.name)
def test_each_fault_can_be_asked_for_as_its_help_shows_it(option: FaultOption) -> None:
    name, number = FaultOption.parse(f"{option.name}{option.form}")
    assert (name, number > 0) == (option.name, True)
    if option.otherwise is not None:
        assert FaultOption.parse(option.name) == (option.name, option.otherwise)
