"""The real sandbox application behind a wire on which everything goes wrong that can."""

from __future__ import annotations

import asyncio
import json
import random
import unicodedata
from collections.abc import Awaitable, Callable
from contextvars import Context, ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

import httpx
from starlette.types import Message

from tests.node import CHEAP
from tui.sandbox.application import application
from tui.sandbox.catalogue import edition
from tui.sandbox.node_context import Rules
from tui.sandbox.sessions import Sessions
from tui.sandbox.store import Store, StoredKey, StoredUser

URL = "http://127.0.0.1:80"
BEGINNING = datetime(2026, 11, 23, 9, tzinfo=UTC)
KEYS = "/api/v1/api-keys"

Habit = Literal[
    "slow", "late", "never", "failing", "losing", "gateway", "proxy", "stale", "cutting",
    "dateless", "ownerless", "addressless", "keyless",
    "newest", "shuffled",
    "trim", "nfc", "lower", "cut", "long-refused",
    "skewed", "reinstalled",
]  # fmt: skip
"""
slow         a request is done, its answer comes too late
late         a write lands up to ten minutes after its deadline, unanswered
never        a request is neither done nor answered
failing      500, 503 or 429, nothing done; or 500, done
losing       the connection breaks before or after a request is done
gateway      504 or 502 at once, and a write lands a moment later
proxy        404 as a page, nothing done
stale        the list is that from before the last one to three writes
cutting      the answer is cut off in the middle
dateless, ownerless, addressless, keyless     the server does not tell that of keys
newest, shuffled                              the order of the list
trim, nfc, lower, cut, long-refused           what becomes of labels
skewed       the server's clock is ten minutes slow
reinstalled  once, other keys get the ids
"""

HABITS: tuple[str, ...] = get_args(Habit)
_PASSING = HABITS[: HABITS.index("dateless")]
"""The habits that are faults, and end when the server calms down."""

RATE = 0.05
"""How often each of the server's faults occurs, of all requests about keys."""

LONGEST_LABEL = 40
LATEST = 600.0
"""How long after its deadline a late write may still land, in seconds."""

STALE_SECONDS = 120.0
"""How old a write is at most that a stale list does not show, in seconds."""


@dataclass
class Ending:
    """Whether an action is over, which its late writes outlive."""

    is_over: bool = False


@dataclass
class Intent:
    """What an operator meant by a request: the action, the keys picked for it, and its step."""

    actor: str
    action: str
    home: str = ""
    picked: frozenset[str] = frozenset()
    step: str = ""
    began: float = 0.0
    others: frozenset[str] = frozenset()
    """Keys that did the same work as the picked one when the action began."""
    is_asked: bool = False
    """Whether the operator agreed to grants or addresses other than the predecessor's."""
    ending: Ending = field(default_factory=Ending)


INTENT: ContextVar[Intent | None] = ContextVar("INTENT", default=None)
PREDECESSOR: ContextVar[str] = ContextVar("PREDECESSOR", default="")
"""The id of the key that the one being created is to succeed."""


@dataclass(frozen=True)
class Fate:
    """What becomes of a request: done after so many seconds, or not; answered after so many."""

    done_after: float | None
    answer_after: float | None
    status: int = 0
    """What is answered instead of the application's answer, where not 0."""
    breaks: bool = False
    cut: bool = False
    name: str = ""


class Observer:
    """Hears what the server does; `truth.Truth` is one."""

    def created(self, intent: Intent, predecessor: str, key: StoredKey, secret: str) -> None: ...
    def changed(self, intent: Intent, before: StoredKey, after: StoredKey) -> None: ...
    def deleted(self, intent: Intent, key: StoredKey) -> None: ...


def _fate(habit: str, soon: float, later: float, choice: float, *, is_write: bool) -> Fate:
    """Return what a habit does to a request; some do nothing to one that only reads."""
    well = Fate(soon / 2, soon)
    if habit == "failing":
        if is_write and choice < 0.3:
            return Fate(soon / 2, soon, 500, name="(500, done)")
        status = (500, 503, 429)[int(choice * 3)]
        return Fate(None, soon, status, name=f"({status})")
    if habit == "losing" and choice < 0.5:
        return Fate(None, soon, breaks=True, name="(broken before)")
    fates = {
        "slow": Fate(soon, None, name="(answer too late)"),
        "never": Fate(None, None, name="(never)"),
        "losing": Fate(soon / 2, soon, breaks=True, name="(broken after)"),
        "proxy": Fate(None, soon, 404, name="(404 of a proxy)"),
        "cutting": replace(well, cut=True, name="(cut)"),
    }
    if is_write:
        fates["late"] = Fate(later, None, name="(late)")
        fates["gateway"] = Fate(soon + choice * 60, soon, 504, name="(504, done later)")
    return fates.get(habit, well)


@dataclass
class Server:
    """One server with its habits; requests go on when their clients are gone."""

    seed: str
    habits: frozenset[str]
    observer: Observer = field(default_factory=Observer)
    trace: list[str] = field(default_factory=list)
    is_calm: bool = False

    def __post_init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._loop, self._rng = loop, random.Random(f"{self.seed} server")  # noqa: S311
        rules = Rules(edition("momentum-4.2"), "password", True, False, True, cost=CHEAP)
        self.store = Store(mint=lambda: self._rng.randbytes(20).hex(), now=self.server_time)
        self._sessions = Sessions(self.store.db, lambda: BEGINNING)
        self._app = application(self.store, rules)
        self._pending: set[asyncio.Task[None]] = set()
        self._history: list[tuple[float, tuple[StoredKey, ...]]] = []

    def now(self) -> datetime:
        """Return the time as hosts have it."""
        return BEGINNING + timedelta(seconds=self._loop.time())

    def server_time(self) -> datetime:
        """Return the time as the server has it; its keys' dates are by it."""
        return self.now() - timedelta(seconds=600 if "skewed" in self.habits else 0)

    def add_user(self, name: str) -> str:
        """Add an administrator and return an access token of theirs."""
        if self.store.user(name) is None:
            self.store.add_user(StoredUser(name, name, f"{name}@example.com", "admin", None, None))
        return self._sessions.open(name, remember=False, verified=True)[0]

    def kept_label(self, label: str) -> str:
        """Return what the server makes of a label."""
        if "trim" in self.habits:
            label = label.strip()
        if "nfc" in self.habits:
            label = unicodedata.normalize("NFC", label)
        if "lower" in self.habits:
            label = label.lower()
        return label[:LONGEST_LABEL] if "cut" in self.habits else label

    def all_keys(self) -> tuple[StoredKey, ...]:
        """Return the keys that there are."""
        return self.store.keys()

    def calm(self) -> None:
        """Have no more faults; what the server is like stays."""
        self.is_calm = True

    async def landed(self) -> None:
        """Wait until nothing is under way any more."""
        while self._pending:
            await asyncio.wait(self._pending)

    def forget_pending(self) -> None:
        """Drop what is under way, as a reinstallation does."""
        for task in self._pending:
            task.cancel()
        self._history.clear()

    def close(self) -> None:
        """Let go of the store."""
        self.forget_pending()
        self.store.close()

    def rename(self, key_id: str, new_id: str) -> None:
        """Give a key another id."""
        self.store.db.execute("UPDATE keys SET id = ? WHERE id = ?", (new_id, key_id))

    def note(self, text: str) -> None:
        """Add a line to the trace."""
        self.trace.append(f"{self._loop.time():9.2f}  {text}")

    def wire(self, is_alive: Callable[[], bool], point: Callable[[], Awaitable[None]]) -> Wire:
        """Return a client's way to the server, for as long as its program lives.

        The program may be killed at each `point`: before a request and before its answer.
        """
        return Wire(self, is_alive, point)

    def send(
        self, request: httpx.Request, body: bytes, rng: random.Random
    ) -> asyncio.Future[httpx.Response]:
        """Have a request carried out; its answer may never come."""
        answer: asyncio.Future[httpx.Response] = self._loop.create_future()
        intent = replace(INTENT.get() or Intent("nobody", ""))  # with the step of this moment
        work = self._carry(request, body, rng, intent, PREDECESSOR.get(), answer)
        task = self._loop.create_task(work, context=Context())
        self._pending.add(task)
        task.add_done_callback(self._ended)
        return answer

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._pending.discard(task)
        if not task.cancelled():
            task.result()  # a fault of the model itself must not stay unheard

    async def _carry(
        self,
        request: httpx.Request,
        body: bytes,
        rng: random.Random,
        intent: Intent,
        predecessor: str,
        answer: asyncio.Future[httpx.Response],
    ) -> None:
        fate = self._fate(request, rng)
        is_write = request.method != "GET" and request.url.path.startswith(KEYS)
        if is_write or (fate.name and request.url.path.startswith(KEYS)):
            named = request.url.path.removeprefix(KEYS)[:9]
            step = f" {intent.step}" if intent.step else ""
            label = json.loads(body)["label"] if is_write and body else ""
            said = f" {label!r}" if label else ""
            self.note(f"{intent.actor}{step}: {request.method} {named}{said} {fate.name}".rstrip())
        response: httpx.Response | None = None
        if fate.done_after is None:
            await asyncio.sleep(0 if fate.answer_after is None else fate.answer_after)
        elif fate.answer_after is not None and fate.answer_after < fate.done_after:
            await asyncio.sleep(fate.answer_after)
            self._answer(answer, fate, None)
            await asyncio.sleep(fate.done_after - fate.answer_after)
            await self._do(request, body, intent, predecessor, rng)
            self.note(f"{intent.actor}: {request.method} {request.url.path[-32:][:8]} landed")
            return
        else:
            await asyncio.sleep(fate.done_after)
            response = await self._do(request, body, intent, predecessor, rng)
            if fate.answer_after is None and is_write:
                self.note(f"{intent.actor}: {request.method} {request.url.path[-32:][:8]} landed")
            await asyncio.sleep((fate.answer_after or fate.done_after) - fate.done_after)
        if fate.answer_after is not None:
            self._answer(answer, fate, response)

    def _answer(
        self, answer: asyncio.Future[httpx.Response], fate: Fate, response: httpx.Response | None
    ) -> None:
        if answer.done():
            return
        if fate.breaks:
            answer.set_exception(httpx.ReadError("the connection broke"))
        elif fate.status:
            page = b"<html><body>%d</body></html>" % fate.status
            answer.set_result(httpx.Response(fate.status, stream=_Body(page)))
        elif response is not None:
            content = response.content
            if fate.cut:
                stream: httpx.AsyncByteStream = _Body(content[: len(content) // 2], breaks=True)
                response = httpx.Response(response.status_code, stream=stream)
            else:
                stream = _Body(content)
                response = httpx.Response(
                    response.status_code,
                    headers=[("content-type", "application/json")],
                    stream=stream,
                )
            answer.set_result(response)

    def _fate(self, request: httpx.Request, rng: random.Random) -> Fate:
        """Draw what becomes of a request; always as many numbers, whatever the habits."""
        soon, later = rng.uniform(0.02, 0.3), rng.uniform(31, LATEST)
        draws = {habit: rng.random() < RATE for habit in _PASSING}
        choice = rng.random()
        well = Fate(soon / 2, soon)
        if self.is_calm or not request.url.path.startswith(KEYS):
            return well
        due = [habit for habit, is_due in draws.items() if is_due and habit in self.habits]
        is_write = request.method != "GET"
        return _fate(due[0], soon, later, choice, is_write=is_write) if due else well

    async def _do(
        self,
        request: httpx.Request,
        body: bytes,
        intent: Intent,
        predecessor: str,
        rng: random.Random,
    ) -> httpx.Response:
        path, method = request.url.path, request.method
        if not path.startswith(KEYS):
            return await self._ask(request, body)
        if method in {"POST", "PUT"}:
            refused, body = self._relabelled(body)
            if refused:
                return refused
        before = self.store.key(path.removeprefix(KEYS + "/"))
        if method != "GET":
            self._history.append((self._loop.time(), self.store.keys()))
        response = await self._ask(request, body)
        if method == "GET":
            return self._as_it_tells(response, path == KEYS, rng)
        if response.is_success:
            self._observe(method, response, before, intent, predecessor)
        return response

    def _observe(
        self,
        method: str,
        response: httpx.Response,
        before: StoredKey | None,
        intent: Intent,
        predecessor: str,
    ) -> None:
        if method == "POST":
            made = response.json()["results"]
            key = self.store.key(made["link"]["href"].rpartition("/")[2])
            if key is not None:
                self.note(f"{intent.actor}: made {key.id[:8]} {key.label!r}")
                self.observer.created(intent, predecessor, key, made["key"])
        elif before is not None and method == "PUT":
            after = self.store.key(before.id)
            if after is not None:
                self.observer.changed(intent, before, after)
        elif before is not None:
            self.note(f"{intent.actor}: deleted {before.id[:8]}")
            self.observer.deleted(intent, before)

    def _relabelled(self, body: bytes) -> tuple[httpx.Response | None, bytes]:
        fields = json.loads(body)
        if "long-refused" in self.habits and len(fields["label"]) > LONGEST_LABEL:
            error = {"message": "invalid data format/type", "param": "label", "code": "1300"}
            return httpx.Response(400, json={"errors": [error]}), body
        fields["label"] = self.kept_label(fields["label"])
        return None, json.dumps(fields).encode()

    def _as_it_tells(
        self, response: httpx.Response, is_list: bool, rng: random.Random
    ) -> httpx.Response:
        """Have an answer tell what this server tells, in its order, maybe of a while ago."""
        back, is_stale = rng.randint(1, 3), rng.random() < 3 * RATE
        if not response.is_success:
            return response
        results = response.json()["results"]
        if is_list:
            if is_stale and "stale" in self.habits and not self.is_calm:
                results = self._stale(results, back)
            if "newest" in self.habits:
                results.reverse()
            if "shuffled" in self.habits:
                rng.shuffle(results)
        for key in results if is_list else [results]:
            for habit, name in (
                ("dateless", "created_at"),
                ("ownerless", "username"),
                ("addressless", "valid_ips"),
                ("keyless", "short_key"),
            ):
                if habit in self.habits:
                    key.pop(name, None)
        return httpx.Response(200, json={"results": results})

    def _stale(self, results: list[dict[str, Any]], back: int) -> list[dict[str, Any]]:
        now = self._loop.time()
        recent = [keys for when, keys in self._history[-back:] if now - when < STALE_SECONDS]
        if not recent:
            return results
        self.note("(a stale list)")
        return [
            {
                "id": key.id, "label": key.label, "short_key": key.short_key,
                "grants": key.grants, "valid_ips": key.valid_ips,
                "created_at": key.created_at, "username": key.username,
            }
            for key in recent[0]
        ]  # fmt: skip

    async def _ask(self, request: httpx.Request, body: bytes) -> httpx.Response:
        """Have the application answer, in this process."""
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1",
            "method": request.method, "path": request.url.path, "raw_path": request.url.raw_path,
            "query_string": request.url.query, "root_path": "", "scheme": "http",
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        }  # fmt: skip
        messages: list[Message] = []
        given = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Message:
            return next(given, {"type": "http.disconnect"})

        async def send(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, send)
        content = b"".join(message.get("body", b"") for message in messages)
        return httpx.Response(messages[0]["status"], content=content)


class _Body(httpx.AsyncByteStream):
    """An answer's body, and whether the connection breaks after it."""

    def __init__(self, content: bytes, *, breaks: bool = False) -> None:
        self._content, self._breaks = content, breaks

    async def __aiter__(self) -> Any:  # noqa: ANN401  # an async generator of bytes
        yield self._content
        if self._breaks:
            raise httpx.ReadError("the connection broke")


class Wire(httpx.AsyncBaseTransport):
    """Carries a program's requests; once that is killed, nothing gets out any more."""

    def __init__(
        self, server: Server, is_alive: Callable[[], bool], point: Callable[[], Awaitable[None]]
    ) -> None:
        self._server, self._is_alive, self._point = server, is_alive, point
        self.rng = random.Random()  # noqa: S311  # set before each action

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._is_alive():
            raise httpx.ReadError("the program was killed")
        body = await request.aread()
        trace = request.extensions["trace"]
        await trace("http11.send_request_headers.started", {"request": request})
        rng = random.Random(self.rng.random())  # noqa: S311
        await self._point()
        response = await self._server.send(request, body, rng)
        await self._point()
        return response
