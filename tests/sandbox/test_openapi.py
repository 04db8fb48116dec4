"""docs/openapi.json against the node: the same paths, and no answer that it does not describe."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.endpoints import HTTPEndpoint
from starlette.routing import Route

import tui
from tests.node import Node
from tests.sandbox.visitor import Visitor
from tui.sandbox.application import routes
from tui.sandbox.catalogue import edition
from tui.sandbox.node_context import Rules

Json = dict[str, Any]

DESCRIPTION: Json = json.loads(
    (Path(tui.__file__).parents[1] / "docs/openapi.json").read_text(encoding="utf-8")
)
METHODS = ("get", "post", "put", "delete")
OPERATIONS = [
    (path, method)
    for path, method in product(DESCRIPTION["paths"], METHODS)
    if method in DESCRIPTION["paths"][path]
]


def resolved(part: Json) -> Json:
    """Return what a part of the description stands for."""
    while "$ref" in part:
        names = part["$ref"].removeprefix("#/").split("/")
        part = DESCRIPTION
        for name in names:
            part = part[name]
    return part


def offences(value: object, schema: Json, where: str = "$") -> Iterator[str]:
    """Yield where a value is not what a schema says: the keywords that the description uses."""
    schema = resolved(schema)
    if "anyOf" in schema:
        tried = [list(offences(value, each, where)) for each in schema["anyOf"]]
        yield from min(tried, key=len)
    kinds = schema.get("type", [])
    if kinds and not any(
        is_of(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)
    ):
        yield f"{where}: {value!r} is no {kinds}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                yield f"{where}: {name} is missing"
        for name, each in value.items():
            yield from offences(each, schema.get("properties", {}).get(name, {}), f"{where}.{name}")
    if isinstance(value, list):
        for at, each in enumerate(value):
            yield from offences(each, schema.get("items", {}), f"{where}[{at}]")


TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
    "null": type(None),
}  # fmt: skip


def is_of(value: object, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and not (kind == "integer" and isinstance(value, bool))


def test_it_describes_the_paths_and_methods_that_there_are() -> None:
    served: set[tuple[str, str]] = set()
    for route in routes(Rules(edition("momentum-4.2"))):
        assert isinstance(route, Route)
        path = route.path.removeprefix("/api/v1")
        if isinstance(route.endpoint, type) and issubclass(route.endpoint, HTTPEndpoint):
            served |= {(path, method) for method in METHODS if hasattr(route.endpoint, method)}
        else:
            served |= {(path, method.lower()) for method in (route.methods or set()) - {"HEAD"}}
    assert served == set(OPERATIONS)


def test_every_reference_leads_somewhere_and_every_part_is_used() -> None:
    text = json.dumps(DESCRIPTION)
    references = set(re.findall(r'"\$ref": "(#/[^"]+)"', text))
    for reference in references:
        assert resolved({"$ref": reference})
    components = DESCRIPTION["components"]
    parts = {
        f"#/components/{kind}/{name}"
        for kind in ("parameters", "responses", "schemas")
        for name in components[kind]
    }
    assert parts == references


def values(schema: Json) -> st.SearchStrategy[Any]:
    """Return a strategy for values that fit a schema, mostly."""
    schema = resolved(schema)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("type") == "object":
        required = set(schema.get("required", []))
        members = {name: values(each) for name, each in schema.get("properties", {}).items()}
        return st.fixed_dictionaries(
            {name: each for name, each in members.items() if name in required},
            optional={name: each for name, each in members.items() if name not in required},
        )
    if schema.get("type") == "array":
        return st.lists(values(schema["items"]), max_size=3)
    return st.sampled_from(["metrics/view", "192.0.2.1", "ops", "123456"]) | st.text(max_size=9)


def anything() -> st.SearchStrategy[Any]:
    leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=9)
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["label", "grants", "valid_ips", "code"]), inner, max_size=3
    ))  # fmt: skip


HEADERS = st.sampled_from([None, "0", "7", "101", "10x", "-1", ""])
SEGMENTS = st.text(min_size=1, max_size=9).filter(
    lambda text: "/" not in text and text not in {".", ".."}  # they would make another path
)
TYPED = ("application/json", "application/x-www-form-urlencoded", "text/plain")


@pytest.fixture(scope="module")
def visitor() -> Iterator[Visitor]:
    with Node() as node, Visitor(node) as visitor:
        yield visitor


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda part: str(part))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_answer_is_another_than_described(
    visitor: Visitor, path: str, method: str, data: st.DataObject
) -> None:
    node, operation = visitor.node, DESCRIPTION["paths"][path][method]
    known, secret = node.add_key("Trial", subaccount=data.draw(st.sampled_from([None, 7])))
    names = {"{id}": [known, "0" * 32], "{name}": ["ops", "casey"]}
    for name, likely in names.items():
        chosen = data.draw(st.sampled_from(likely) | SEGMENTS) if name in path else ""
        path = path.replace(name, quote(chosen.encode("utf-8", "replace"), safe=""))
    credentials = st.sampled_from([node.token(), node.token(), secret, "unknown", None])
    headers = {}
    if (scope := data.draw(HEADERS)) is not None:
        headers["X-MSYS-SUBACCOUNT"] = scope
    content = b""
    if "requestBody" in operation:
        ((media, body),) = operation["requestBody"]["content"].items()
        value = data.draw(values(body["schema"]) | anything())
        is_form = "form" in media and isinstance(value, dict)
        text = urlencode(value, errors="replace") if is_form else json.dumps(value)
        content = text.encode()
        headers["Content-Type"] = data.draw(st.just(media) | st.sampled_from(TYPED))
    answer = visitor.call(
        method.upper(), path, data.draw(credentials), headers=headers, content=content
    )
    assert str(answer.status_code) in operation["responses"], (answer.status_code, answer.text)
    described = resolved(operation["responses"][str(answer.status_code)])
    for name in described.get("headers", {}):
        assert name in answer.headers
    if "content" not in described:
        assert answer.content == b""
        return
    assert answer.headers["Content-Type"] == "application/json"
    assert not list(offences(answer.json(), described["content"]["application/json"]["schema"]))
