"""Each fault of the network and the server, against a server that misbehaves byte by byte."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import zlib
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tests import faults as f
from tests.client.conftest import Dial
from tests.faults import answered, faults
from tui.api.address import LIST_LIMIT, parse_server
from tui.api.client import ANSWER_CAP, Client
from tui.api.compression import Decompressor, readings
from tui.api.errors import (
    ApiError,
    BadProxy,
    CertificateWanted,
    HttpsWanted,
    NoAnswer,
    NotReached,
    Redirected,
    ServerFailed,
    Stage,
    TooLarge,
    Unreadable,
    Unsendable,
)
from tui.api.models import KeyDraft, KeyList
from tui.problems import describe

TOKEN = SecretStr("4f0c-token")
SHORT = 2.0
"""A deadline that is waited for, in seconds: long enough for a busy host to send a request."""
DRAFT = KeyDraft("prod", ("metrics/view",), ("192.0.2.0/24",))
EMPTY = f.as_json({"results": []})
CREATED = {
    "results": {
        "key": "9ac1" * 10,
        "short_key": "9ac1",
        "label": "prod",
        "link": {"href": "/api/v1/api-keys/a%2Fb"},
    }
}


@pytest.mark.parametrize("name", sorted(f.UNREADABLE))
async def test_an_answer_that_says_nothing_is_unreadable(name: str, dial: Dial) -> None:
    async with faults(f.UNREADABLE[name]) as server:
        with pytest.raises(Unreadable) as caught:
            await dial(server).list_keys(TOKEN)
        assert describe(caught.value, doing="loading the keys").title
        with pytest.raises(Unreadable) as caught:
            await dial(server).create_key(DRAFT, TOKEN)
        assert caught.value.maybe_done
        assert server.count("POST", "/api/v1/api-keys") == 1


@pytest.mark.parametrize("name", sorted(f.NO_ANSWER))
async def test_a_create_without_an_answer_is_never_repeated(name: str, dial: Dial) -> None:
    async with faults(f.NO_ANSWER[name]) as server:
        with pytest.raises(NoAnswer) as caught:
            await answered(server, dial(server).create_key(DRAFT, TOKEN), name)
        assert caught.value.maybe_done
        assert describe(caught.value).detail
        assert server.count("POST", "/api/v1/api-keys") == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("close", "broken"),
        ("half_a_header", "broken"),
        ("cut_body", "broken"),
        ("smtp", "not http"),
        ("hang", "deadline"),
        ("drip", "deadline"),
    ],
)
async def test_why_no_answer_came_is_told(name: str, reason: str, dial: Dial) -> None:
    async with faults(f.NO_ANSWER[name]) as server:
        with pytest.raises(NoAnswer) as caught:
            await answered(server, dial(server).list_keys(TOKEN), name)
        assert caught.value.reason == reason
        assert server.count("GET", "/api/v1/api-keys") == 1


@pytest.mark.parametrize(
    ("reply", "error"),
    [(f.redirect, Redirected), (f.html_502, ServerFailed), (f.gzip_bomb(2 * ANSWER_CAP), TooLarge)],
)
async def test_a_create_is_sent_once_whatever_comes_back(
    reply: f.Reply, error: type[ApiError], dial: Dial
) -> None:
    async with faults(reply) as server:
        with pytest.raises(error):
            await dial(server).create_key(DRAFT, TOKEN)
        assert [request.method for request in server.requests] == ["POST"]


async def test_a_refused_connection_names_the_place(dial: Dial) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with pytest.raises(NotReached) as caught:
            await dial(port).create_key(DRAFT, TOKEN)
    assert caught.value.stage is Stage.REFUSED
    assert not caught.value.maybe_done
    assert describe(caught.value).title == f"127.0.0.1:{port} refused the connection"


async def test_a_name_that_nobody_knows_is_told(
    dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown, raising=False)
    with pytest.raises(NotReached) as caught:
        await dial(443, scheme="https", host="nowhere.invalid").grants(None)
    assert caught.value.stage is Stage.NAME


async def test_a_black_hole_is_told_as_a_timeout_before_anything_was_sent(dial: Dial) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        client = dial(silent.getsockname()[1], scheme="https", deadline=2.0)
        with pytest.raises(NotReached) as caught:
            await client.create_key(DRAFT, TOKEN)
    assert caught.value.stage is Stage.TIMEOUT
    assert not caught.value.maybe_done


async def test_a_redirect_is_refused_and_tells_where_it_points(dial: Dial) -> None:
    async with faults(f.redirect) as server:
        with pytest.raises(Redirected) as caught:
            await dial(server).password_grant("ops", SecretStr("hunter2"), remember=True)
        assert "https://elsewhere.example/api" in describe(caught.value).detail
        assert len(server.requests) == 1


async def test_a_list_is_stopped_at_the_limit_that_is_set(dial: Dial) -> None:
    assert LIST_LIMIT > 2 * 29 * 10**6  # twice what 100,000 keys take
    async with faults(f.gzip_bomb(3 * ANSWER_CAP)) as server:
        client = dial(server)
        client.server = replace(client.server, list_limit=2 * ANSWER_CAP)
        with pytest.raises(TooLarge) as caught:
            await client.list_keys(TOKEN)
        assert caught.value.limit == 2 * ANSWER_CAP


async def test_a_list_may_be_larger_than_other_answers_and_compressed(dial: Dial) -> None:
    body = json.dumps({"results": [{"id": str(n), "label": "x" * 100} for n in range(9_000)]})
    packed = f.answer(gzip.compress(body.encode()), headers="Content-Encoding: gzip\r\n")
    async with faults(packed) as server:
        assert len((await dial(server).list_keys(TOKEN)).keys) == 9_000


async def test_a_byte_order_mark_does_no_harm(dial: Dial) -> None:
    async with faults(f.answer(b'\xef\xbb\xbf{"results": [{"id": "1"}]}')) as server:
        assert [key.id for key in (await dial(server).list_keys(TOKEN)).keys] == ["1"]


async def test_latin_1_is_refused_and_never_shown_raw(dial: Dial) -> None:
    async with faults(f.latin_1) as server:
        with pytest.raises(Unreadable, match="not UTF-8") as caught:
            await dial(server).list_keys(TOKEN)
        assert caught.value.excerpt.isprintable()


async def test_a_read_is_repeated_once_when_a_kept_connection_is_dead(dial: Dial) -> None:
    async with faults(EMPTY, f.close, EMPTY) as server:
        client = dial(server)
        await client.list_keys(TOKEN)
        assert await client.list_keys(TOKEN) == KeyList(())
        assert len(server.requests) == 3


async def test_a_write_is_not_repeated_when_a_kept_connection_is_dead(dial: Dial) -> None:
    async with faults(EMPTY, f.close, EMPTY) as server:
        client = dial(server)
        await client.list_keys(TOKEN)
        with pytest.raises(NoAnswer):
            await client.create_key(DRAFT, TOKEN)
        assert [request.method for request in server.requests] == ["GET", "POST"]


async def test_cancelling_is_not_an_error_of_the_server(dial: Dial) -> None:
    async with faults(f.hang) as server:
        client = dial(server)
        task = asyncio.create_task(client.list_keys(TOKEN))
        await server.arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    "reply", [f.nginx_https_port, f.apache_https_port, f.go_https_port, f.tls_alert]
)
async def test_plain_http_on_a_port_for_https_is_told_as_that(reply: f.Reply, dial: Dial) -> None:
    async with faults(reply) as server:
        for call in (
            dial(server).create_key(DRAFT, TOKEN),
            dial(server).password_grant("ops", SecretStr("hunter2"), remember=False),
        ):
            with pytest.raises((HttpsWanted, NoAnswer)) as caught:
                await call
            assert not caught.value.maybe_done
            assert describe(caught.value).hint == "Begin the address with https://."


async def test_a_port_for_https_that_just_hangs_up_is_told_with_the_way_out(dial: Dial) -> None:
    async with faults(f.close) as server:
        with pytest.raises(NoAnswer) as caught:
            await dial(server).grants(None)
    assert "begin with https://" in describe(caught.value).hint


async def test_a_page_that_asks_for_a_client_certificate_is_told_as_that(dial: Dial) -> None:
    async with faults(f.nginx_certificate) as server:
        with pytest.raises(CertificateWanted) as caught:
            await dial(server).grants(None)
    assert "client certificate" in describe(caught.value).title


WHOLE = json.dumps(CREATED).encode()


@pytest.mark.parametrize(
    "reply",
    [
        f.answer(WHOLE[:-20], length=len(WHOLE)),
        f.answer(WHOLE[:80]),
        f.answer(WHOLE.replace(b'"prod"', '"Müller"'.encode("latin-1"))),
        f.answer(WHOLE.replace(b'"prod"', b"9" * 5_000)),
        f.answer(WHOLE.replace(b'"prod"', b"[" * 100_000)),
        f.answer(WHOLE.replace(b'"prod"', b'"' + b"x" * ANSWER_CAP + b'"')),
        f.answer(WHOLE.replace(b'{"href"', b'["http://[", 1, {"href"').replace(b"}}}", b"}]}}")),
        f.answer(WHOLE.replace(b'"link"', b'"errors": [{"message": "odd"}], "link"')),
        f.answer(WHOLE, status=201),
    ],
    ids=["cut", "ended", "latin", "digits", "nested", "large", "link", "errors", "created"],
)
async def test_a_damaged_create_answer_never_costs_the_secret(reply: f.Reply, dial: Dial) -> None:
    async with faults(reply) as server:
        made = await dial(server).create_key(DRAFT, TOKEN)
        assert made.secret.get_secret_value() == "9ac1" * 10
        assert len(server.requests) == 1


def raw_deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(data) + deflater.flush()


GZIPPED = gzip.compress(WHOLE)
BODIES = {
    "plain": WHOLE,
    "gzip": GZIPPED,
    "two members": gzip.compress(WHOLE[:50]) + gzip.compress(WHOLE[50:]),
    "padded": GZIPPED + b"\0" * 9,
    "twice": gzip.compress(GZIPPED),
    "zlib": zlib.compress(WHOLE),
    "raw deflate": raw_deflate(WHOLE),
    "wrong checksum": GZIPPED[:-8] + b"\0" * 8,
    "cut": GZIPPED[:-12],
    "utf-16": WHOLE.decode().encode("utf-16"),
    "utf-32-be": WHOLE.decode().encode("utf-32-be"),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(
    "declared", ["", "none", "utf-8", "identity", "gzip", "deflate", "br", "gzip, gzip", "x"]
)
async def test_whatever_a_create_answer_calls_itself_its_secret_is_found(
    body: str, declared: str, dial: Dial
) -> None:
    headers = f"Content-Encoding: {declared}\r\n" if declared else ""
    async with faults(f.answer(BODIES[body], headers=headers)) as server:
        made = await dial(server).create_key(DRAFT, TOKEN)
    assert made.secret.get_secret_value() == "9ac1" * 10


@pytest.mark.parametrize(
    ("body", "declared"),
    [
        ("plain", "none"), ("plain", "utf-8"), ("plain", "gzip"), ("plain", "br"),
        ("gzip", ""), ("gzip", "deflate"), ("two members", "gzip"), ("padded", "gzip"),
        ("zlib", "deflate"), ("raw deflate", "deflate"),
    ],
)  # fmt: skip
async def test_other_answers_are_read_as_what_they_are(
    body: str, declared: str, dial: Dial
) -> None:
    async def by_the_byte(request: f.Request, writer: asyncio.StreamWriter) -> None:
        content = BODIES[body]
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n"
        writer.write(f"{head}Content-Encoding: {declared}\r\n\r\n".encode())
        for at in range(len(content)):
            writer.write(content[at : at + 1])
            await writer.drain()

    async with faults(by_the_byte) as server:
        with pytest.raises(Unreadable, match="a key without an id"):
            await dial(server).key("a", TOKEN)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["", "gzip", "deflate", "x"]), st.integers(1, 60))
@example(GZIPPED[:10], "gzip", 1)
def test_no_bytes_decompress_into_anything_but_content_or_an_error(
    raw: bytes, declared: str, step: int
) -> None:
    decompressor = Decompressor(declared, 200, 100)
    try:
        for at in range(0, len(raw), step):
            decompressor.feed(raw[at : at + step])
        decompressor.end()
    except (Unreadable, TooLarge):
        pass
    assert len(decompressor.content) <= 100
    assert all(len(reading) <= max(len(raw) * 4, 400) for reading in readings(raw, 100))


async def test_half_a_secret_is_not_a_secret(dial: Dial) -> None:
    async with faults(f.answer(WHOLE[:40])) as server:
        with pytest.raises(Unreadable) as caught:
            await dial(server).create_key(DRAFT, TOKEN)
        assert caught.value.excerpt == ""


async def test_the_drip_of_a_whole_secret_is_kept_at_the_deadline(dial: Dial) -> None:
    async def dripping(request: f.Request, writer: asyncio.StreamWriter) -> None:
        await f.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + WHOLE, close=False)(
            request, writer
        )
        await f.hang(request, writer)

    async with faults(dripping) as server:
        made = await dial(server, deadline=2.0).create_key(DRAFT, TOKEN)
        assert made.id == "a/b"


async def test_an_update_whose_answers_body_is_cut_was_done(dial: Dial) -> None:
    async with faults(f.cut_body) as server:
        await dial(server).update_key("1", DRAFT, TOKEN)


@pytest.mark.parametrize("reply", [f.html_200, f.as_json({"errors": [{"message": "no"}]})])
async def test_a_delete_is_not_believed_when_the_answer_contradicts(
    reply: f.Reply, dial: Dial
) -> None:
    async with faults(reply) as server:
        with pytest.raises(Unreadable):
            await dial(server).delete_key("1", TOKEN)


@pytest.mark.parametrize("key_id", ["", ".", "..", "\ud800", "x" * 70_000])
async def test_an_id_that_would_lead_elsewhere_is_not_sent(key_id: str, dial: Dial) -> None:
    async with faults(EMPTY) as server:
        with pytest.raises(Unsendable):
            await dial(server).delete_key(key_id, TOKEN)
        assert server.connections == 0


async def test_a_proxy_that_is_down_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://ops:hunter2@127.0.0.1:9")
    client = Client(parse_server("mail.example"))
    with pytest.raises(NotReached) as caught:
        await client.grants(None)
    await client.aclose()
    assert (caught.value.stage, caught.value.host, caught.value.port) == (
        Stage.PROXY,
        "127.0.0.1",
        9,
    )
    assert "hunter2" not in repr(describe(caught.value))


@pytest.mark.parametrize("url", ["https://mail.example", "http://mail.example"])
async def test_a_plain_proxy_that_is_named_https_is_told_as_that(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = f.raw(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    async def answer_anything(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        await plain(f.Request("", "", {}, b""), writer)

    listener = await asyncio.start_server(answer_anything, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        for variable in ("https_proxy", "http_proxy"):
            monkeypatch.setenv(variable, f"https://127.0.0.1:{port}")
        client = Client(parse_server(url, plain_http_allowed=True))
        with pytest.raises(NotReached) as caught:
            await client.grants(None)
        await client.aclose()
    assert caught.value.stage is Stage.PROXY_NOT_TLS
    problem = describe(caught.value)
    assert f"127.0.0.1:{port} is no https proxy" in problem.title
    assert "http://" in problem.hint


async def test_a_proxy_that_cannot_be_used_is_not_taken_for_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    client = Client(parse_server("mail.example"))
    with pytest.raises(BadProxy):
        await client.grants(None)
    await client.aclose()


@pytest.mark.parametrize(("status", "detail"), [(407, "407"), (502, "502")])
async def test_a_proxy_that_refuses_the_tunnel_is_named(
    status: int, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with faults(f.answer(b"", status)) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
        client = Client(parse_server("mail.example"))
        with pytest.raises(NotReached) as caught:
            await client.create_key(DRAFT, TOKEN)
        await client.aclose()
        assert caught.value.stage is Stage.PROXY
        assert detail in caught.value.detail
        assert all("authorization" not in request.headers for request in proxy.requests)
