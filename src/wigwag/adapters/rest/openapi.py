# SPDX-License-Identifier: Apache-2.0
"""What /openapi.json says beyond the routes: how to show a key, which scope each request needs, and every problem.

FastAPI writes down what routes take and give. Whatever all of them share is added here, so that no route can forget it.
"""

from typing import Any

from fastapi import FastAPI

from wigwag.adapters.rest.here import problems
from wigwag.adapters.rest.schemas import Problem
from wigwag.adapters.rest.scopes import OPEN, SIGN_IN, needed

SCHEMES: dict[str, dict[str, str]] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "an API key"},
    "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "an API key"},
    "basic": {"type": "http", "scheme": "basic", "description": "a user of APP_BASIC_AUTH"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "wigwag",
        "description": "what /api/session gave a browser; `__Host-wigwag` over TLS",
    },
}


def describe(app: FastAPI) -> None:
    """Complete the description of this app."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(plain())
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(schema: dict[str, Any]) -> None:
    """Add to the description that FastAPI keeps."""
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            _forget_validation_errors(operation)
            _say_who_may(path, method, operation)
    components = schema["components"]
    components["schemas"]["Problem"] = Problem.model_json_schema()
    components["securitySchemes"] = SCHEMES
    for shape in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(shape, None)


def _forget_validation_errors(operation: dict[str, Any]) -> None:
    """Take away what FastAPI believes of errors, where a route says nothing else."""
    if "application/json" in operation["responses"].get("422", {}).get("content", {}):
        del operation["responses"]["422"]


def _say_who_may(path: str, method: str, operation: dict[str, Any]) -> None:
    if path in OPEN or (path == SIGN_IN and method == "post"):
        operation["security"] = []
        return
    scope = needed(operation["operationId"])
    operation["security"] = [{scheme: [scope] if scope else []} for scheme in SCHEMES]
    statuses = (401, 403, 429) if scope or method != "get" else (401, 429)
    for status, problem in problems(*statuses).items():
        operation["responses"].setdefault(str(status), problem)
