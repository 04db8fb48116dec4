from __future__ import annotations

import asyncio
import datetime
import ssl
from pathlib import Path

import pytest
import trustme

from tests.client.conftest import Dial
from tests.faults import as_json, faults
from tui.api.errors import NotReached, Stage
from tui.api.trust import tls_context
from tui.problems import describe

GRANTS = as_json({"results": [{"key": "metrics/view"}]})


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


async def stage_of(dial: Dial, context: ssl.SSLContext | None, ca_file: Path | None) -> NotReached:
    async with faults(GRANTS, tls=context) as server:
        client = dial(server, scheme="https", host="localhost", ca_file=ca_file)
        with pytest.raises(NotReached) as caught:
            await client.grants(None)
        await client.aclose()
        assert server.requests == []
    assert describe(caught.value).hint
    return caught.value


async def test_a_server_of_the_companys_own_authority_is_trusted_with_its_ca_file(
    dial: Dial, authority: trustme.CA, ca_file: Path
) -> None:
    context = serving(authority.issue_cert("localhost"))
    async with faults(GRANTS, tls=context) as server:
        client = dial(server, scheme="https", host="localhost", ca_file=ca_file)
        assert [grant.key for grant in await client.grants(None)] == ["metrics/view"]
        await client.grants(None)
        assert server.connections == 1
        await client.aclose()


async def test_an_unknown_authority_is_told_with_the_way_out(
    dial: Dial, authority: trustme.CA
) -> None:
    error = await stage_of(dial, serving(authority.issue_cert("localhost")), None)
    assert error.stage is Stage.TLS_UNKNOWN_CA
    assert "--ca-file" in describe(error).hint


async def test_another_hosts_certificate_is_told(
    dial: Dial, authority: trustme.CA, ca_file: Path
) -> None:
    error = await stage_of(dial, serving(authority.issue_cert("other.example")), ca_file)
    assert error.stage is Stage.TLS_WRONG_HOST


async def test_an_expired_certificate_is_told(
    dial: Dial, authority: trustme.CA, ca_file: Path
) -> None:
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    context = serving(authority.issue_cert("localhost", not_after=past))
    assert (await stage_of(dial, context, ca_file)).stage is Stage.TLS_EXPIRED


async def test_a_server_without_tls_is_told(dial: Dial) -> None:
    error = await plain_on_https(dial)
    assert error.stage is Stage.NOT_TLS
    assert "http?" in describe(error).hint


async def plain_on_https(dial: Dial) -> NotReached:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        client = dial(server.sockets[0].getsockname()[1], scheme="https")
        with pytest.raises(NotReached) as caught:
            await client.grants(None)
    return caught.value


async def test_a_ca_file_that_went_bad_is_told(dial: Dial, tmp_path: Path) -> None:
    path = tmp_path / "bad.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    client = dial(1, scheme="https", ca_file=path)
    path.write_text("-----BEGIN CERTIFICATE-----\n")
    with pytest.raises(NotReached) as caught:
        await client.grants(None)
    assert caught.value.stage is Stage.TLS_OTHER


def test_session_secrets_are_never_written_down(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    context = tls_context(None)
    assert context.keylog_filename is None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert not (tmp_path / "keys").exists()
