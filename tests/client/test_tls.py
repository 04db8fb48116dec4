from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from tests.client.conftest import Dial
from tests.faults import as_json, faults
from tui.api.errors import NotReached, Stage
from tui.api.models import KeyDraft
from tui.api.trust import tls_context, tls_stage
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


async def test_a_certificate_that_is_not_valid_yet_is_not_told_as_expired(
    dial: Dial, authority: trustme.CA, ca_file: Path
) -> None:
    start, end = (datetime.datetime(year, 1, 1, tzinfo=datetime.UTC) for year in (2200, 2201))
    context = serving(authority.issue_cert("localhost", not_before=start, not_after=end))
    error = await stage_of(dial, context, ca_file)
    assert error.stage is Stage.TLS_NOT_YET_VALID
    problem = describe(error)
    assert "not valid yet" in problem.title
    assert "clock" in problem.hint
    assert "expired" not in repr(problem)


async def test_a_self_signed_certificate_is_told_and_taken_with_its_own_ca_file(
    dial: Dial, tmp_path: Path
) -> None:
    context, path = self_signed("localhost", tmp_path)
    error = await stage_of(dial, context, None)
    assert error.stage is Stage.TLS_SELF_SIGNED
    assert "self-signed" in describe(error).title
    async with faults(GRANTS, tls=context) as server:
        client = dial(server, scheme="https", host="localhost", ca_file=path)
        assert await client.grants(None)
        await client.aclose()


def self_signed(host: str, directory: Path) -> tuple[ssl.SSLContext, Path]:
    """Return what serves with a certificate issued by itself, and the file that this is in."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    start, end = (datetime.datetime(year, 1, 1, tzinfo=datetime.UTC) for year in (2020, 2200))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, start, end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (directory / "key.pem").write_bytes(private)
    path = directory / "certificate.pem"
    path.write_bytes(certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, directory / "key.pem")
    return context, path


@pytest.mark.parametrize(
    ("code", "message"),
    [(23, "certificate revoked"), (66, "EE certificate key too weak"), (7, "signature failure")],
)
def test_any_other_fault_of_a_certificate_is_told_in_its_own_words(code: int, message: str) -> None:
    failure = ssl.SSLCertVerificationError(1, "certificate verify failed")
    failure.verify_code, failure.verify_message = code, message
    assert tls_stage(failure) is Stage.TLS_BAD_CERTIFICATE
    problem = describe(NotReached(tls_stage(failure), "mail.example", 443, 1, message))
    assert message in problem.detail
    assert not any(word in repr(problem) for word in ("expired", "--ca-file", "encryption"))


@contextmanager
def refusing(context: ssl.SSLContext) -> Iterator[int]:
    """Run a server that only makes handshakes, and yield its port.

    With blocking sockets, since asyncio's server hangs up before it has sent its alert.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # the listener is closed
                    return
                with connection, suppress(OSError):
                    context.wrap_socket(connection, server_side=True).close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2])
async def test_a_server_that_wants_a_client_certificate_is_told(
    dial: Dial, authority: trustme.CA, ca_file: Path, version: ssl.TLSVersion
) -> None:
    context = serving(authority.issue_cert("localhost"))
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    with refusing(context) as port:
        client = dial(port, scheme="https", host="localhost", ca_file=ca_file)
        with pytest.raises(NotReached) as caught:
            await client.create_key(KeyDraft("x"), SecretStr("4f0c-token"))
        await client.aclose()
    assert not caught.value.maybe_done
    assert "client certificate" in repr(describe(caught.value))
    if version is ssl.TLSVersion.TLSv1_3:
        assert caught.value.stage is Stage.TLS_CLIENT_CERTIFICATE
        assert "Nothing was sent" not in describe(caught.value).detail


@pytest.mark.parametrize("trusted", ["root", "intermediate", "the server's own"])
async def test_any_certificate_of_the_chain_may_be_the_one_that_is_trusted(
    dial: Dial, authority: trustme.CA, tmp_path: Path, trusted: str
) -> None:
    intermediate = authority.create_child_ca()
    leaf = intermediate.issue_cert("localhost")
    pem = {
        "root": authority.cert_pem,
        "intermediate": intermediate.cert_pem,
        "the server's own": leaf.cert_chain_pems[0],
    }[trusted]
    path = tmp_path / "trusted.pem"
    pem.write_to_path(str(path))
    async with faults(GRANTS, tls=serving(leaf)) as server:
        client = dial(server, scheme="https", host="localhost", ca_file=path)
        assert await client.grants(None)
        await client.aclose()


async def test_a_trusted_certificate_is_good_for_its_own_host_only(
    dial: Dial, authority: trustme.CA, tmp_path: Path
) -> None:
    leaf = authority.issue_cert("other.example")
    path = tmp_path / "trusted.pem"
    leaf.cert_chain_pems[0].write_to_path(str(path))
    error = await stage_of(dial, serving(leaf), path)
    assert error.stage is Stage.TLS_WRONG_HOST


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
