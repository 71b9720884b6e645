# SPDX-License-Identifier: Apache-2.0
"""Every error becomes a problem (RFC 9457, `application/problem+json`), and never shows what is inside.

The table below gives each error of the domain its HTTP status; a test sees that none is missing.
"""

import json
import logging
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from wigwag.domain import errors
from wigwag.domain.errors import GatewayError
from wigwag.domain.ids import mask

STATUS: dict[type[GatewayError], HTTPStatus] = {
    errors.GatewayError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.InvalidJid: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidUrl: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidSettings: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidMessage: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidUser: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotLinked: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Refused: HTTPStatus.BAD_GATEWAY,
    errors.Restricted: HTTPStatus.BAD_GATEWAY,
    errors.Unconfirmed: HTTPStatus.BAD_GATEWAY,
    errors.Fenced: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.RosterLost: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Missed: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.BrokerUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.RosterUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
CODES = {  # of errors that never reached the gateway; Python's own names for them change between versions
    HTTPStatus.BAD_REQUEST: "bad_request",
    HTTPStatus.UNAUTHORIZED: "unauthenticated",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_large",
    HTTPStatus.UNPROCESSABLE_ENTITY: "invalid_request",
}
PROBLEM_JSON = "application/problem+json"
TRY_AGAIN = {"Retry-After": "5"}
MOST_ERRORS = 20  # mistakes listed in one answer

_log = logging.getLogger(__name__)


def problem(
    request: Request,
    status: HTTPStatus,
    *,
    code: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> Response:
    """An answer that says what went wrong. `code` is stable and for machines."""
    body = {
        "type": f"urn:wigwag:problem:{code}",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "instance": request.url.path,
        "code": code,
        **more,
    }
    return Response(json.dumps(body), status.value, dict(headers or {}), media_type=PROBLEM_JSON)


async def unexpected(request: Request, error: Exception) -> Response:
    """The answer to an error that nobody foresaw. The log has it whole, but for the numbers."""
    trouble = mask("".join(traceback.format_exception(error)))
    _log.error("A request failed: %s", trouble, extra={"action": "request.failed"})
    detail = "Something went wrong inside wigwag. Its log says what."
    return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, code="internal_error", detail=detail)


def gateway_problem(request: Request, error: GatewayError, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to an error of the domain."""
    advice = dict(headers or {}) | (TRY_AGAIN if error.retryable else {})
    if isinstance(error, errors.RateLimited):
        advice["Retry-After"] = str(ceil(error.retry_after))
    more = {"reason": error.reason} if isinstance(error, errors.InvalidMessage) else {}
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)  # a room may have narrower ones
    return problem(request, status, code=error.code, detail=str(error), headers=advice, **more)


async def _of_the_gateway(request: Request, error: Exception) -> Response:
    assert isinstance(error, GatewayError)  # noqa: S101  registered for this class alone
    return gateway_problem(request, error)


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for this class alone
    status = HTTPStatus(error.status_code)
    return problem(request, status, code=CODES.get(status, "http_error"), detail=error.detail, headers=error.headers)


async def _of_the_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this class alone
    found = error.errors()
    if any(mistake["type"] == "json_invalid" for mistake in found):
        detail = "The body is not JSON."
        return problem(request, HTTPStatus.BAD_REQUEST, code="malformed_json", detail=detail)
    mistakes = [_mistake(mistake) for mistake in found[:MOST_ERRORS]]
    detail = "; ".join(f"{mistake['where']}: {mistake['what']}" for mistake in mistakes[:3])
    return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, code="invalid_request", detail=detail, errors=mistakes)


def _mistake(found: Mapping[str, Any]) -> dict[str, str]:
    """Where a request is wrong and why, without what was sent."""
    where = ".".join(str(part) for part in found["loc"])
    return {"where": where, "what": str(found["msg"]).removeprefix("Value error, ")}


def install(app: FastAPI) -> None:
    """Answer every error of this app with a problem."""
    app.add_exception_handler(GatewayError, _of_the_gateway)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_the_request)
