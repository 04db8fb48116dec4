"""Answers of the server turned into models, tolerant of whatever costs neither a key nor a secret.

No error from here holds a piece of the input: `Malformed` says in a few words what it was instead.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr, TypeAdapter, ValidationError

from tui.api.models import CreatedKey, Grant, Key, KeyDraft, KeyList, Token, TwoFactor, User

_BOM = b"\xef\xbb\xbf"
_SECRET = re.compile(r'"key"\s*:\s*("(?:[^"\\]|\\.)+")')


class Malformed(ValueError):
    """A body that is not what the contract says; `reason` is what it is instead."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _ListAnswer:
    __pydantic_config__ = {"hide_input_in_errors": True}  # noqa: RUF012  # as in models.Key

    results: tuple[Key, ...]
    total_count: object = None
    links: object = None


_list_answer: TypeAdapter[_ListAnswer] = TypeAdapter(_ListAnswer)
_some_keys: TypeAdapter[list[Key]] = TypeAdapter(list[Key])

_PIECE = 100_000
"""How much of a long list is decoded at a time, in bytes at least: some 350 keys."""
_LIST_START = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"results"\s*:\s*\[')
_NEXT_KEY = re.compile(rb'\}\s*,\s*(?=\{\s*"id"\s*:)')


def parse_json(body: bytes) -> object:
    """Return the JSON value in `body`, a byte order mark and control characters let pass.

    Raises Malformed.
    """
    body = body.removeprefix(_BOM)
    if not body.strip():
        raise Malformed("an empty body")
    try:
        return json.loads(body.decode("utf-8"), strict=False)
    except UnicodeDecodeError:
        raise Malformed("not UTF-8") from None
    except json.JSONDecodeError:
        raise Malformed(_kind_of_body(body)) from None
    except RecursionError:
        raise Malformed("nested too deeply") from None
    except ValueError:
        raise Malformed("a number with too many digits") from None


def _kind_of_body(body: bytes) -> str:
    start = body.lstrip()[:1]
    if start == b"<":
        return "a web page"
    return "JSON with a fault in it, or cut off" if start in {b"{", b"["} else "not JSON"


def keys(body: bytes) -> KeyList:
    """Return the keys of a list answer as the server ordered them, equal ids included (contract 4).

    Errors beside valid results are not looked at: for a read, the results win (contract 5).
    Raises Malformed, also for one key without an id: a list with a hole would be a lie.
    """
    try:
        answer = _piecewise(body) or _list_answer.validate_json(body.removeprefix(_BOM))
        if all(key.id for key in answer.results):
            return _key_list(answer.results, answer.total_count, answer.links)
    except ValidationError:
        pass  # one odd field is enough; the slow way below tells what can be kept
    fields, results = _object(body), _results(body)
    if not isinstance(results, list):
        raise Malformed("no list of keys")
    return _key_list(tuple(map(_key, results)), fields.get("total_count"), fields.get("links"))


def _piecewise(body: bytes) -> _ListAnswer | None:
    """Return a long list that was decoded piece by piece, or None where it is not made that way.

    No other thread runs while pydantic decodes, which takes hundreds of milliseconds for a whole
    list of 100,000 keys. Pieces end between two objects that begin with an `id`: within a text,
    what ends such a piece cannot stand without a backslash, and in a nested list, it leaves
    pieces that are no JSON, so that the whole is decoded at once.
    """
    if len(body) < 2 * _PIECE or (start := _LIST_START.match(body)) is None:
        return None
    keys: list[Key] = []
    place = start.end()
    try:
        with _garbage_collection_postponed():
            while (end := _NEXT_KEY.search(body, place + _PIECE)) is not None:
                keys += _some_keys.validate_json(b"[" + body[place : end.start() + 1] + b"]")
                place = end.end()
                gc.collect(1)
            rest = _list_answer.validate_json(b'{"results":[' + body[place:])
            return replace(rest, results=(*keys, *rest.results))
    except ValidationError:
        return None


@contextmanager
def _garbage_collection_postponed() -> Iterator[None]:
    """Leave it to the block to collect garbage: going through all keys takes too long.

    What is there at the end, the keys and their tuple, is not gone through later, either. It still
    goes with its last reference; only cycles given up within the block's last moments stay.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        gc.collect()
        yield
        gc.freeze()
    finally:
        if was_enabled:
            gc.enable()


def _key_list(listed: tuple[Key, ...], total_count: object, links: object) -> KeyList:
    is_paged = (_number(total_count) or 0) > len(listed) or _has_next(links)
    return KeyList(listed, is_whole=not is_paged)


def _has_next(links: object) -> bool:
    """Tell whether links name a next page: `{"next": …}`, or a list of `{"rel": "next", …}`."""
    if isinstance(links, dict):
        return bool(links.get("next")) or links.get("rel") == "next"
    return isinstance(links, list) and any(map(_has_next, links))


def key(body: bytes) -> Key:
    """Return the key of a read answer (contract 4). Raises Malformed."""
    return _key(_results(body))


def _key(value: object) -> Key:
    if not isinstance(value, dict):
        raise Malformed("a key that is no object")
    key_id = _text(value.get("id"))
    if not key_id:
        raise Malformed("a key without an id")
    return Key(
        id=key_id,
        raw_label=_text(value.get("label")),
        raw_short_key=_text(value.get("short_key")),
        raw_grants=_texts(value.get("grants"), "grants"),
        raw_valid_ips=_texts(value.get("valid_ips"), "allowed IPs"),
        raw_created_at=_text(value.get("created_at")),
        raw_username=_text(value.get("username")),
        subaccount_id=_number(value.get("subaccount_id")),
    )


def _text(value: object) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def _texts(value: object, what: str) -> tuple[str, ...] | None:
    """Return a list of texts; where it is of another kind, an edit would undo it, so Malformed."""
    if value is None:
        return None
    members = value if isinstance(value, list) else [value]
    texts = tuple(text for member in members if (text := _text(member)) is not None)
    if len(texts) < sum(member is not None for member in members):
        raise Malformed(f"a key with unreadable {what}")
    return texts


def _number(value: object) -> int | None:
    try:
        return int(value) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None


def _object(body: bytes) -> dict[str, object]:
    value = parse_json(body)
    if not isinstance(value, dict):
        raise Malformed(f"a {type(value).__name__} where an object is due")
    return value


def _results(body: bytes) -> object:
    answer = _object(body)
    if answer.get("results") is None:
        raise Malformed("errors without results" if answer.get("errors") else "no results")
    return answer["results"]


def _result(body: bytes) -> dict[str, object]:
    result = _results(body)
    if not isinstance(result, dict):
        raise Malformed(f"a {type(result).__name__} where an object is due")
    return result


def check_done(body: bytes) -> None:
    """Check the answer to a write, whose body is unimportant unless it contradicts the status.

    Raises Malformed for errors without results, and for what Momentum does not send: a web page.
    """
    if not body.strip():
        return
    answer = parse_json(body)
    if isinstance(answer, dict) and answer.get("errors") and "results" not in answer:
        raise Malformed("errors without results")


def created(body: bytes, draft: KeyDraft) -> CreatedKey:
    """Return the key that a create made, `draft` telling what the answer does not (contract 4).

    The secret comes first: as long as it is there whole, nothing else in the body matters, not
    even where the body ends. Raises Malformed where it is not.
    """
    try:
        result = _result(body)
    except Malformed as reason:
        result, why = {}, reason
    else:
        why = Malformed("no secret")
    secret = result.get("key")
    if not isinstance(secret, str) or not secret:
        secret = _secret_in(body)
    if not secret:
        raise Malformed(why.reason) from None
    return CreatedKey(
        secret=SecretStr(secret),
        short_key=_text(result.get("short_key")) or "",
        label=_text(result.get("label")) or draft.label,
        id=_text(result.get("id")) or _id_in_link(result.get("link") or result.get("links")),
    )


def _secret_in(body: bytes) -> str:
    match = _SECRET.search(body.decode("utf-8", "replace"))
    try:
        return str(json.loads(match[1], strict=False)) if match else ""
    except ValueError:
        return ""


def _id_in_link(link: object) -> str | None:
    """Return the last segment of the path in a create answer's link: the new key's id."""
    if isinstance(link, list):
        link = link[0] if link else None
    href = link.get("href") if isinstance(link, dict) else link
    if not isinstance(href, str):
        return None
    try:
        segments = urlsplit(href).path.rstrip("/").split("/")
    except ValueError:
        return None
    before, last = ["", "", *segments][-2:]
    return unquote(last) or None if before == "api-keys" else None


def grants(body: bytes) -> tuple[Grant, ...]:
    """Return the grants of a catalogue, those without a key left out (contract 3).

    Raises Malformed.
    """
    results = _results(body)
    if not isinstance(results, list):
        raise Malformed("no list of grants")
    return tuple(
        Grant(wire_key, _text(grant.get("label")), _text(grant.get("description")))
        for grant in results
        if isinstance(grant, dict) and (wire_key := _text(grant.get("key")))
    )


def token(body: bytes, kept: SecretStr | None = None) -> Token:
    """Return a session's tokens, `kept` where no new refresh token came (contract 2).

    Raises Malformed.
    """
    fields = _object(body)
    inner = fields.get("results")
    if "access_token" not in fields and isinstance(inner, dict):
        fields = inner
    access, refresh = fields.get("access_token"), fields.get("refresh_token")
    if not isinstance(access, str) or not access:
        raise Malformed("no access token")
    fresh = SecretStr(refresh) if isinstance(refresh, str) and refresh else kept
    return Token(SecretStr(access), fresh)


def user(body: bytes, typed: str) -> User:
    """Return an account (contract 2), by the `typed` name where it tells none. Raises Malformed."""
    account = _result(body)
    username = _text(account.get("username")) or typed
    return User(username, _text(account.get("access_level")), _text(account.get("access")))


def two_factor(body: bytes) -> TwoFactor:
    """Return whether an account has, or must have, a second factor (contract 2).

    Raises Malformed.
    """
    factor = _result(body)
    return TwoFactor(_is_yes(factor.get("enabled")), _is_yes(factor.get("required")))


def single_sign_on(body: bytes) -> bool:
    """Return whether an account signs in elsewhere (contract 2). Raises Malformed."""
    return _is_yes(_result(body).get("saml"))


def _is_yes(value: object) -> bool:
    """Tell whether a value of any type means yes: a second factor must not be overlooked."""
    return str(value).lower() in {"true", "1"}
