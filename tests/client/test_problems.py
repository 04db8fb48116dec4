from __future__ import annotations

import inspect

import pytest

from tui.api import errors
from tui.api.address import AddressFault, BadAddress
from tui.api.errors import ErrorEntry, Stage
from tui.problems import Problem, describe

LONG = "a" * 63 + "." + "b" * 63 + ".example"

EXAMPLES: list[Exception] = [
    *(BadAddress(reason, "https://mail.example") for reason in AddressFault),
    errors.BadProxy("ALL_PROXY", "socks5"),
    errors.BadProxy("HTTPS_PROXY"),
    *(errors.NotReached(stage, LONG, 65535, 10.4, "detail") for stage in Stage),
    *(
        errors.NotReached(stage, "2001:db8:1111:2222:3333:4444:5555:6666", 65535, 1)
        for stage in Stage
    ),
    *(
        errors.NoAnswer(reason, LONG, 65535, 30)
        for reason in ("deadline", "broken", "not http", "tls")
    ),
    *(errors.Unsendable(w) for w in ("credential", "id", "user name or password", "address")),
    errors.Redirected(307, "https://elsewhere.example"),
    errors.Unreadable(200, "a web page", "<html>"),
    errors.TooLarge(2**20),
    errors.Refused(405),
    errors.Refused(407),
    errors.NoAnswer("broken", LONG, 65535, 30, "http"),
    errors.HttpsWanted(400),
    errors.CertificateWanted(400),
    errors.Invalid(413),
    errors.Invalid(400, (ErrorEntry("m", "d", "1", "label"),)),
    errors.SignInRefused(400, "invalid_grant", "User credentials are invalid"),
    errors.SignInRefused(401, "invalid_client", ""),
    errors.SignInRefused(403, "invalid_grant", "blocked"),
    errors.SignInRefused(400, "invalid_request", ""),
    errors.SignInRefused(401, "", ""),
    errors.Unauthorized(401, (ErrorEntry("Unauthorized."),)),
    errors.Forbidden(403),
    errors.NotFound(404),
    errors.Conflict(409),
    errors.RateLimited(429, (), 12.0),
    errors.RateLimited(429, (), None),
    errors.ServerFailed(502),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=repr)
def test_every_error_has_words_that_fit(error: Exception) -> None:
    problem = describe(error, doing="creating the key")
    assert 5 < len(problem.title) <= 60
    assert not problem.title.endswith(".")
    assert problem.hint.endswith((".", "?"))
    assert problem.detail == "" or problem.detail.endswith((".", "…"))
    assert "{" not in repr((problem.title, problem.detail, problem.hint))


def test_no_class_of_errors_is_without_words() -> None:
    known = {
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.ApiError) and kind is not errors.ApiError
    }
    assert known == {type(error) for error in EXAMPLES} - {BadAddress}


@pytest.mark.parametrize("error", [RuntimeError("x"), KeyError("x"), errors.ApiError()])
def test_for_unknown_errors_nothing_vague_is_said(error: Exception) -> None:
    with pytest.raises(TypeError, match=type(error).__name__):
        describe(error)


def test_what_concerns_a_field_stands_beside_it_and_the_rest_above() -> None:
    error = errors.Invalid(
        400,
        (
            ErrorEntry("Too long", "At most 100 characters.", "1600", "label"),
            ErrorEntry("Taken", param="label"),
            ErrorEntry("No address", param="valid_ips[1]"),
            ErrorEntry("Slow down?"),
            ErrorEntry("Odd", param="colour"),
            ErrorEntry(""),
        ),
    )
    problem = describe(error)
    assert dict(problem.fields) == {
        "label": "Too long: At most 100 characters. Taken.",
        "valid_ips": "No address.",
    }
    assert problem.detail == "Slow down? colour: Odd."
    assert problem.technical == "status: 400\ncode: 1600"


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_nothing_is_called_marked_where_nothing_is(status: int) -> None:
    for error in (
        errors.Invalid(status),
        errors.Invalid(status, (ErrorEntry("Odd", param="colour"),)),
        errors.Invalid(status, (ErrorEntry("Malformed JSON"),)),
    ):
        assert "marked" not in describe(error).hint
    assert "too large" in describe(errors.Invalid(413)).title


def test_a_wrong_password_is_told_beside_the_password() -> None:
    problem = describe(errors.SignInRefused(400, "invalid_grant", "User credentials are invalid"))
    assert problem.fields == {"password": "User credentials are invalid."}
    assert problem.detail == "User credentials are invalid."


def test_waiting_is_told_in_seconds() -> None:
    assert describe(errors.RateLimited(429, (), 12.0)).hint == "Wait 12 seconds, then retry."
    refused = errors.NotReached(Stage.REFUSED, "mail.example", 443, 0.01)
    assert describe(refused) == Problem(
        "mail.example:443 refused the connection",
        "The host mail.example is there, but nothing is listening on port 443. Nothing was sent.",
        "Check the port, and whether the server is running.",
        technical="stage: refused",
    )


def test_what_was_being_done_is_said_where_the_server_says_nothing() -> None:
    problem = describe(errors.Forbidden(403), doing="deleting the key")
    assert problem.detail == "It gave no reason while deleting the key."
    assert "api_keys/manage" in problem.hint
