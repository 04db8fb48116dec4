"""Somebody who calls a node over HTTP, with whatever credential they hold."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from types import TracebackType

import httpx

from tests.node import Node

UNAUTHORIZED = b'{"errors":[{"message":"Unauthorized."}]}'
FORBIDDEN = {"errors": [{"message": "Forbidden."}]}
NOT_FOUND = {"errors": [{"message": "Resource could not be found"}]}


class Visitor:
    def __init__(self, node: Node) -> None:
        self.node = node
        # An empty context: reading the authorities in takes longer than most tests.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.http = httpx.Client(
            base_url=f"{node.url}/api/v1", trust_env=False, verify=context, timeout=60
        )

    def __enter__(self) -> Visitor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.http.close()

    def call(
        self, method: str, path: str, credential: str | None = None, **more: object
    ) -> httpx.Response:
        request: Callable[..., httpx.Response] = self.http.request
        given = more.pop("headers", {})
        assert isinstance(given, dict)
        headers = dict(given)
        if credential is not None:
            headers["Authorization"] = credential
        return request(method, path, headers=headers, **more)

    def get(self, path: str, credential: str | None = None, **more: object) -> httpx.Response:
        return self.call("GET", path, credential, **more)

    def post(self, path: str, credential: str | None = None, **more: object) -> httpx.Response:
        return self.call("POST", path, credential, **more)

    def put(self, path: str, credential: str | None = None, **more: object) -> httpx.Response:
        return self.call("PUT", path, credential, **more)

    def delete(self, path: str, credential: str | None = None, **more: object) -> httpx.Response:
        return self.call("DELETE", path, credential, **more)

    def sign_in(
        self, username: str | None = None, password: str | None = None, *, remember: bool = False,
        client: tuple[str, str] | None = None,
    ) -> httpx.Response:  # fmt: skip
        fields = {
            "grant_type": "password",
            "username": username or self.node.username,
            "password": password or self.node.password,
            "rememberMe": str(remember).lower(),
        }
        if client is None:
            return self.http.post("/authenticate", data=fields)
        return self.http.post("/authenticate", data=fields, auth=client)

    def refresh(self, token: str) -> httpx.Response:
        fields = {"grant_type": "refresh_token", "refresh_token": token}
        return self.http.post("/authenticate", data=fields)

    def sign_out(self, token: str) -> httpx.Response:
        return self.post("/authenticate/logout", token, data={"token": token})

    def create(self, credential: str | None = None, /, **fields: object) -> httpx.Response:
        draft = {"label": "Trial", "grants": ["metrics/view"], "valid_ips": [], **fields}
        body = json.dumps(draft)  # not httpx's: it can't write half a surrogate pair
        return self.post("/api-keys", credential or self.node.token(), content=body)
