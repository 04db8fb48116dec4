from __future__ import annotations

from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from tui.api.address import AddressFault, BadAddress, parse_server
from tui.api.errors import BadProxy
from tui.api.proxy import _names, proxy_for
from tui.problems import describe
from tui.text import plain


@pytest.mark.parametrize(
    ("typed", "url", "prefix"),
    [
        ("mail.example", "https://mail.example", "/api/v1"),
        (" HTTPS://Mail.Example:443/ ", "https://mail.example", "/api/v1"),
        ("mail.example:8443", "https://mail.example:8443", "/api/v1"),
        ("mail.example.", "https://mail.example", "/api/v1"),
        ("https://mail.example/api/v1/", "https://mail.example", "/api/v1"),
        ("https://mail.example/node/api/v2", "https://mail.example", "/node/api/v2"),
        ("[2001:DB8::0001]:8443", "https://[2001:db8::1]:8443", "/api/v1"),
        ("2001:db8::1", "https://[2001:db8::1]", "/api/v1"),
        ("http://localhost:8080", "http://localhost:8080", "/api/v1"),
        ("http://127.0.0.1:80", "http://127.0.0.1", "/api/v1"),
        ("http://[::1]", "http://[::1]", "/api/v1"),
        ("bücher.example", "https://xn--bcher-kva.example", "/api/v1"),
        ("192.0.2.1", "https://192.0.2.1", "/api/v1"),
    ],
)
def test_addresses_are_put_into_one_form(typed: str, url: str, prefix: str) -> None:
    server = parse_server(typed)
    assert (server.url, server.prefix) == (url, prefix)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", AddressFault.EMPTY),
        ("  \t", AddressFault.EMPTY),
        ("ftp://mail.example", AddressFault.SCHEME),
        ("javascript://x", AddressFault.SCHEME),
        ("https://ops:hunter2@mail.example", AddressFault.USER_INFO),
        ("mail.example:99999", AddressFault.PORT),
        ("mail.example:0", AddressFault.PORT),
        ("mail.example:", AddressFault.PORT),
        ("mail.example:8_0", AddressFault.PORT),
        ("mail.example:٨٠", AddressFault.PORT),
        ("https://", AddressFault.HOST),
        ("mail example", AddressFault.HOST),
        ("mail\\example", AddressFault.HOST),
        ("-mail.example", AddressFault.HOST),
        ("a" * 64, AddressFault.HOST),
        (".".join(["abcdefgh"] * 30), AddressFault.HOST),
        ("999.1.1.1", AddressFault.HOST),
        ("[::1", AddressFault.HOST),
        ("[fe80::1%eth0]", AddressFault.HOST),
        ("[::1]x", AddressFault.HOST),
        ("mail.example?x=1", AddressFault.QUERY),
        ("mail.example/#keys", AddressFault.QUERY),
        ("https://ops@mail.example/ui/#!/settings", AddressFault.USER_INFO),
        ("mail.example/ui/login", AddressFault.PATH),
        ("mail.example/../api/v1", AddressFault.PATH),
        ("http://mail.example", AddressFault.PLAIN_HTTP),
        ("http://localhost.example", AddressFault.PLAIN_HTTP),
    ],
)
def test_what_is_wrong_with_an_address_is_told(typed: str, reason: AddressFault) -> None:
    with pytest.raises(BadAddress) as caught:
        parse_server(typed)
    assert caught.value.reason is reason
    assert "hunter2" not in repr(caught.value)


def test_plain_http_goes_where_it_is_allowed() -> None:
    server = parse_server("http://mail.example", plain_http_allowed=True)
    assert server.is_exposed
    assert not server.is_loopback


@pytest.mark.parametrize("rest", ["/ui/", "/ui/#!/settings", "/?token=hunter2", "#keys"])
def test_what_of_a_browsers_address_would_do_is_told(rest: str) -> None:
    with pytest.raises(BadAddress) as caught:
        parse_server(f"https://Mail.example:8443{rest}")
    assert caught.value.detail == "https://mail.example:8443"
    assert "Leave out everything after https://mail.example:8443" in describe(caught.value).hint


def test_a_ca_file_has_to_hold_a_certificate(tmp_path: Path) -> None:
    broken = "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n"
    (tmp_path / "empty.pem").touch()
    (tmp_path / "broken.pem").write_text(broken)
    for name, wrong in (
        ("missing.pem", "it does not exist"),
        ("a\0b", "it does not exist"),
        ("", "it is not a file"),
        ("empty.pem", "it holds no certificate in PEM form"),
        ("broken.pem", "it holds no certificate in PEM form"),
        ("/".join(["deep" * 30] * 3) + "/missing.pem", "it does not exist"),
    ):
        with pytest.raises(BadAddress) as caught:
            parse_server("mail.example", ca_file=tmp_path / name)
        assert caught.value.reason is AddressFault.CA_FILE
        assert caught.value.detail == f"{plain(str(tmp_path / name))}: {wrong}"
        assert describe(caught.value).detail == f"{caught.value.detail}."
    good = tmp_path / "good.pem"
    trustme.CA().cert_pem.write_to_path(str(good))
    assert parse_server("mail.example", ca_file=good).ca_file == good


def test_the_client_secret_is_not_shown() -> None:
    server = parse_server("mail.example", client_id="tui", client_secret=SecretStr("s3cret"))
    assert "secret" not in repr(server)


def hosts() -> st.SearchStrategy[str]:
    piece = st.sampled_from(["http", "https", "://", ":", "/", "@", "[", "]", "::1", ".", "é", "%"])
    return st.lists(piece | st.text(max_size=4), max_size=8).map("".join)


@given(hosts() | st.text(), st.text(max_size=8) | st.just("/api/v1"))
def test_no_text_raises_anything_but_bad_address(typed: str, prefix: str) -> None:
    try:
        server = parse_server(typed, prefix=prefix, plain_http_allowed=True)
    except BadAddress:
        return
    again = parse_server(server.url, prefix=server.prefix, plain_http_allowed=True)
    assert again == server
    assert server.url.isascii()
    assert server.url.isprintable()


def test_the_environments_proxy_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", "http://ops:hunter2@proxy.example:3128")
    monkeypatch.setenv("no_proxy", "near.example")
    proxy = proxy_for(parse_server("mail.example"))
    assert proxy
    assert proxy.shown == "http://proxy.example:3128"
    assert "hunter2" not in repr(proxy)
    assert proxy_for(parse_server("near.example")) is None
    assert proxy_for(parse_server("https://localhost")) is None


@pytest.mark.parametrize(
    ("no_proxy", "typed", "is_direct"),
    [
        ("*", "mail.example", True),
        ("mail.example", "mail.example", True),
        ("example", "mail.example", True),
        (".example", "mail.example", True),
        ("*.example", "mail.example", True),
        ("*.example", "example", True),
        ("MAIL.Example", "mail.example", True),
        ("mail.example.", "mail.example", True),
        (".example.", "mail.example.", True),
        ("ample", "mail.example", False),
        ("mail.example", "example", False),
        ("  a.example ,\tmail.example  ", "mail.example", True),
        ("a.example mail.example", "mail.example", True),
        (",,", "mail.example", False),
        (".", "mail.example", False),
        ("mail.example:8443", "mail.example:8443", True),
        ("mail.example:8443", "mail.example", False),
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.0/24", "192.0.2.7", True),
        ("192.0.2.99/24", "192.0.2.7", True),
        ("192.0.2.0/30", "192.0.2.7", False),
        ("192.0.2.0/99", "192.0.2.7", False),
        ("0.2.7", "192.0.2.7", False),
        ("192.0.2.7:443", "192.0.2.7", True),
        ("fd00::5", "[fd00::5]", True),
        ("[fd00::5]", "[fd00::5]", True),
        ("[FD00:0::5]", "fd00::5", True),
        ("[fd00::5]:8443", "[fd00::5]:8443", True),
        ("[fd00::5]:8443", "[fd00::5]", False),
        ("fd00::/8", "[fd00::5]", True),
        ("[fd00::]/8", "[fd00::5]", True),
        ("10.0.0.0/8", "[fd00::5]", False),
        ("10.0.0.0/8", "mail.example", False),
    ],
)
def test_who_is_called_without_the_proxy_is_decided_as_curl_does(
    no_proxy: str, typed: str, is_direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(variable, no_proxy)
        assert (proxy_for(parse_server(typed)) is None) is is_direct
        monkeypatch.delenv(variable)


def test_the_lower_case_no_proxy_counts_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "")
    assert proxy_for(parse_server("mail.example"))


@given(st.text(max_size=20))
def test_no_entry_raises_anything(entry: str) -> None:
    for typed in ("mail.example", "192.0.2.7", "[fd00::5]"):
        assert _names(entry, parse_server(typed)) in {True, False}


@pytest.mark.parametrize(
    ("variable", "url", "sentence"),
    [
        (
            "ALL_PROXY",
            "socks5://ops:hunter2@proxy.example",
            "ALL_PROXY names a socks5 proxy; only http and https proxies work.",
        ),
        ("all_proxy", "http://[", "all_proxy can't be read."),
        ("HTTPS_PROXY", "garbage:::", "HTTPS_PROXY can't be read."),
        ("HTTPS_PROXY", "http://ops:12/hunter2@proxy.example", "HTTPS_PROXY can't be read."),
        ("https_proxy", "http://x:99999999", "https_proxy can't be read."),
        ("https_proxy", "://", "https_proxy can't be read."),
    ],
)
def test_a_proxy_that_cannot_be_used_is_told_by_its_variable(
    variable: str, url: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, url)
    with pytest.raises(BadProxy) as caught:
        proxy_for(parse_server("mail.example"))
    assert describe(caught.value).detail == sentence
    assert "hunter2" not in repr((caught.value, describe(caught.value)))
