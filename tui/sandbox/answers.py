"""Answers and errors in the contract's shapes, and request bodies read with a cap (contract 5)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

BODY_CAP = 1_048_576
"""The largest request body, in bytes."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a body: an entry of the errors list."""

    param: str
    message: str
    description: str
    code: str

    def entry(self) -> dict[str, str]:
        """Return the entry as it travels."""
        return {
            "message": self.message,
            "description": self.description,
            "code": self.code,
            "param": self.param,
        }


class BadRequest(Exception):
    """400: the body or some of its fields are wrong."""

    def __init__(self, *entries: dict[str, str]) -> None:
        super().__init__()
        self.entries = entries


def results(body: object, headers: Mapping[str, str] | None = None) -> Response:
    """Return 200 with `{"results": …}`."""
    return JSONResponse({"results": body}, headers=headers)


def errors(
    status: int, *entries: dict[str, str], headers: Mapping[str, str] | None = None
) -> Response:
    """Return the status with `{"errors": […]}`."""
    return JSONResponse({"errors": entries}, status, headers)


def unauthorized() -> Response:
    """Return the one answer to no, unknown or expired credentials and to wrong addresses."""
    return errors(401, {"message": "Unauthorized."})


def forbidden() -> Response:
    """Return the answer to those who are known but not permitted."""
    return errors(403, {"message": "Forbidden."})


def grant_error(status: int, error: str, description: str) -> Response:
    """Return one of the OAuth-style errors of `/authenticate` (contract 2)."""
    return JSONResponse({"error": error, "error_description": description}, status)


def too_many(what: str, seconds: int) -> Response:
    """Return 429 with how many seconds to wait."""
    wait = {"message": f"Too many {what}.", "description": f"Wait {seconds} s and try again."}
    return errors(429, wait, headers={"Retry-After": str(seconds)})


_MESSAGES = {
    403: "Forbidden.",
    404: "Resource could not be found",
    405: "Method not allowed",
    413: "Request entity too large",
    415: "Unsupported media type",
}


async def for_status(request: Request, error: Exception) -> Response:
    """Word what the routes refuse with a bare status: 403, 404, 405, 413, 415."""
    refused = cast(HTTPException, error)
    message = _MESSAGES.get(refused.status_code, refused.detail)
    return errors(refused.status_code, {"message": message}, headers=refused.headers)


async def for_bad_request(request: Request, error: Exception) -> Response:
    """Word what is wrong with a body."""
    return errors(400, *cast(BadRequest, error).entries)


async def for_failure(request: Request, error: Exception) -> Response:
    """Word a fault of the sandbox itself."""
    return errors(500, {"message": "Internal server error"})


async def body(request: Request) -> bytes:
    """Return the request's body; over its cap it is 413."""
    read = bytearray()
    try:
        async for chunk in request.stream():
            read += chunk
            if len(read) > BODY_CAP:
                raise HTTPException(413)
    except ClientDisconnect:
        raise HTTPException(400) from None  # nobody is there to read it
    return bytes(read)


async def form(request: Request) -> dict[str, str]:
    """Return the fields of a form body, the last of each name; broken text is replaced."""
    _expect_type(request, "application/x-www-form-urlencoded")
    text = (await body(request)).decode(errors="replace")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=100))
    except ValueError:
        raise BadRequest({"message": "Malformed form"}) from None


def _expect_type(request: Request, expected: str) -> None:
    """Refuse with 415 a body that calls itself something else; one without a type is let pass."""
    declared = request.headers.get("content-type", expected)
    if declared.partition(";")[0].strip().lower() != expected:
        raise HTTPException(415)


async def json_object(request: Request) -> dict[str, object]:
    """Return the fields of a JSON body."""
    _expect_type(request, "application/json")
    try:
        fields = json.loads(await body(request))
    except (ValueError, RecursionError):
        raise BadRequest({"message": "Malformed JSON", "code": "1100"}) from None
    if not isinstance(fields, dict):
        raise BadRequest({"message": "A JSON object is expected", "code": "1100"})
    return fields
