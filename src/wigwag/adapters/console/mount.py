# SPDX-License-Identifier: Apache-2.0
"""The console in front of another app, on one port: its files, and its page for every address that the page knows."""

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from wigwag.adapters.console.files import File, Files

# First parts of the addresses of console/src/pages; whatever else there is belongs to the app behind.
PLACES = frozenset(
    (
        *("", "contacts", "accounts", "messages", "dead-letters", "webhooks", "subscriptions"),
        *("system", "simulator", "sign-in"),
    )
)


def mounted(files: Files, app: ASGIApp) -> ASGIApp:
    """The app, with the console before it."""

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        found = _find(files, scope)
        if found is None:
            await app(scope, receive, send)
        else:
            await _answer(found, Headers(scope=scope))(scope, receive, send)

    return either


def _find(files: Files, scope: Scope) -> File | None:
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return None
    path: str = scope["path"]
    return files.page if path.split("/")[1] in PLACES else files.get(path)


def _answer(file: File, asked: Headers) -> Response:
    encoding, body = file.best(asked.get("accept-encoding", ""))
    etag = f'{file.etag[:-1]}-{encoding}"' if encoding else file.etag
    headers = {**file.headers, "ETag": etag} | ({"Content-Encoding": encoding} if encoding else {})
    if etag in asked.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers)
