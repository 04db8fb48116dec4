"""No error carries a password, a token or a key's secret, however it is looked at."""

from __future__ import annotations

import base64
import json
import traceback
from dataclasses import replace

import pytest
from pydantic import SecretStr

from tests import faults as f
from tests.client.conftest import Dial
from tests.faults import answered, faults
from tui.api.errors import ApiError, Unsendable
from tui.api.models import KeyDraft
from tui.problems import describe

PASSWORD, TOKEN, SECRET = "hunter2-pass", "4f0c-token", "9ac1-secret"

ECHO = {
    "errors": [{"message": f"{TOKEN} {PASSWORD} is wrong", "param": TOKEN, "code": PASSWORD}],
    "error": PASSWORD,
    "error_description": TOKEN,
}

REPLIES = {
    **f.UNREADABLE,
    **f.NO_ANSWER,
    "redirect": f.answer(b"", 302, f"Location: https://x.example/?t={TOKEN}{PASSWORD}\r\n"),
    "echo": f.as_json(ECHO, 400),
    "echo 401": f.as_json(ECHO, 401),
    "echo 500": f.answer(json.dumps([ECHO]).encode(), 500),
    "echo 200": f.as_json({"errors": ECHO["errors"]}),
    "page": f.answer(f"<p>{TOKEN} {PASSWORD}</p>".encode()),
    "odd token": f.answer(b'{"results": {"key": {"x": "9ac1-secret"}, "access_token": ["9ac1-sec'),
}


def everything(error: BaseException) -> str:
    texts = [str(error), repr(error), repr(error.args), repr(vars(error))]
    texts += traceback.format_exception(error)
    for link in (error.__cause__, error.__context__ if not error.__suppress_context__ else None):
        if link is not None:
            texts.append(everything(link))
    return "\n".join(texts)


@pytest.mark.parametrize("name", sorted(REPLIES))
async def test_no_error_carries_a_secret(name: str, dial: Dial) -> None:
    async with faults(REPLIES[name]) as server:
        client = dial(server)
        token, password = SecretStr(TOKEN), SecretStr(PASSWORD)
        for call in (
            client.password_grant("ops", password, remember=True),
            client.refresh(token),
            client.list_keys(token),
            client.create_key(KeyDraft("x"), token),
            client.verify_two_factor("ops", password, token),
            client.sign_out(token),
        ):
            try:
                await answered(server, call, name)
            except ApiError as error:
                shown = everything(error) + repr(describe(error))
                sent = f"{server.requests[-1].headers} {server.requests[-1].body!r}"
                assert not [word for word in (TOKEN, PASSWORD) if word in shown and word in sent]
                assert SECRET not in shown


@pytest.mark.parametrize("bad", ["tok\nen-hunter2", "tökén-hunter2", "hunter2\0", " hunter2", ""])
async def test_a_credential_that_no_header_can_carry_is_refused_unseen(
    bad: str, dial: Dial
) -> None:
    async with faults(f.empty_200) as server:
        with pytest.raises(Unsendable) as caught:
            await dial(server).list_keys(SecretStr(bad))
        assert "hunter2" not in everything(caught.value)
        assert server.connections == 0


async def test_a_password_that_no_form_can_carry_is_refused_unseen(dial: Dial) -> None:
    unsendable = "hunter2" + chr(0xD800)
    with pytest.raises(Unsendable) as caught:
        await dial(1).password_grant("ops", SecretStr(unsendable), remember=False)
    assert "hunter2" not in everything(caught.value)
    assert describe(caught.value).title


ODD_PASSWORD = 'h&nter2 "pä/ss"'
CLIENT = SecretStr("client-secret")


@pytest.mark.parametrize(
    "form",
    [
        "h%26nter2+%22p%C3%A4%2Fss%22",
        "h%26nter2%20%22p%c3%a4%2fss%22",
        "h&amp;nter2 &quot;pä/ss&quot;",
        'h&amp;nter2 "pä/ss"',
        r"h&nter2 \"p\u00e4/ss\"",
        r"h&nter2 \"pä/ss\"",
        'H&NTER2 "PÄ/SS"',
    ],
)
async def test_a_page_that_repeats_the_request_in_its_own_spelling_shows_no_secret(
    form: str, dial: Dial
) -> None:
    pair = base64.b64encode(b"ui:client-secret").decode()
    page = f"<pre>Authorization: Basic {pair} password={form}</pre>"
    async with faults(f.answer(page.encode(), 500)) as server:
        client = dial(server)
        client.server = replace(client.server, client_id="ui", client_secret=CLIENT)
        with pytest.raises(ApiError) as caught:
            await client.password_grant("ops", SecretStr(ODD_PASSWORD), remember=True)
    shown = describe(caught.value).technical
    assert "Authorization: Basic ••• password=•••" in shown
    assert "nter2" not in everything(caught.value).lower()
