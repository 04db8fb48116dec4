"""What was written for later use can be read back, and nothing else is taken for it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from tui.delivery import FileDelivery, Form, NewSecret, NoSecretsRead, read_secrets
from tui.delivery.read_back import MOST_CHARACTERS

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SECRET = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60)
ID = st.text("0123456789abcdef-", min_size=1, max_size=40)


@given(
    st.lists(st.tuples(ID, TEXT, SECRET), min_size=1, max_size=5, unique_by=lambda key: key[0]),
    st.sampled_from(get_args(Form)),
)
@settings(max_examples=40, deadline=None)
def test_secrets_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, keys: list[tuple[str, str, str]], form: Form
) -> None:
    path = tmp_path_factory.mktemp("set") / f"secrets.{form}"
    delivery = FileDelivery(path, form)
    delivery.check()
    for key_id, label, secret in keys:
        asyncio.run(delivery.deliver(NewSecret(SecretStr(secret), key_id, label, secret[:4])))
    delivery.close()
    secrets = read_secrets(path)
    safe = {key_id for key_id, _, _ in keys if not key_id.startswith("-") or form != "csv"}
    assert {i: secrets[i].get_secret_value() for i in safe} == {
        key_id: secret for key_id, _, secret in keys if key_id in safe
    }


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.txt", "x", "ends in"),
        ("a.json", "{", "not in the form"),
        ("a.json", '[{"id": "1"}]', "not in the form"),
        ("a.json", "[]", "holds no secrets"),
        ("a.csv", "x,y\n1,2\n", "not in the form"),
        ("a.csv", "label,id,short_key,secret\nx,1,9ac1,hush\ny,,,\n", "not in the form"),
        ("a.env", "NAME=hush-hush\n", "holds no secrets"),
        ("a.env", "# x (id 1)\nNAME='hush\n", "not in the form"),
        ("a.json", "[" * 100_000, "not in the form"),
        ("a.csv", f"label,id,short_key,secret\n,1,,{'x' * 200_000}\n", "not in the form"),
        ("a.csv", "x" * (MOST_CHARACTERS + 1), "is larger than 4 MiB"),
    ],
)
def test_other_files_are_refused_without_telling_what_they_hold(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(NoSecretsRead, match=said) as refused:
        read_secrets(path)
    assert "hush" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_what_is_no_file_is_told_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.env")
    for path in (tmp_path / "none.env", tmp_path / "pipe.env", Path("~nobody-here/x.env")):
        with pytest.raises(NoSecretsRead, match="can't be read"):
            read_secrets(path)


ENTRIES = {
    ".env": "# Mailer (9ac1, id 1)\nMAILER_KEY=first\n# Ärger (77b0, id 2)\nAERGER_KEY=second\n",
    ".env.production": "# Mailer (9ac1, id 1)\nMAILER_KEY=first\n# Ä (77b0, id 2)\nA_KEY=second\n",
    "KEYS.CSV": "label,id,short_key,secret\nMailer,1,9ac1,first\nÄrger,2,77b0,second\n",
    "keys.csv": "label;id;short_key;secret\r\nMailer;1;9ac1;first\r\nÄ, rger;2;77b0;second\r\n",
    "tabs.csv": "label\tid\tshort_key\tsecret\nMailer\t1\t9ac1\tfirst\nÄrger\t2\t77b0\tsecond\n",
    "keys.json": '[{"id": "1", "secret": "first"}, {"id": "2", "label": "Ä", "secret": "second"}]',
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ENTRIES)
def test_what_editors_and_spreadsheets_make_of_a_file_is_read_whole(
    tmp_path: Path, name: str, encoding: str
) -> None:
    path = tmp_path / name
    path.write_bytes(ENTRIES[name].encode(encoding))
    secrets = {key_id: secret.get_secret_value() for key_id, secret in read_secrets(path).items()}
    assert secrets == {"1": "first", "2": "second"}
