# SPDX-License-Identifier: Apache-2.0
"""The media server: takes and gives encrypted files over HTTPS, at the host that the answer to `media_conn` names.

It checks what can be checked without the keys: who uploads, and that a file has the hash under which it is uploaded.
Downloads ask nobody who they are, as on the real server.
"""

import asyncio
import base64
import hashlib

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from wigwag.simulator.exchange import Exchange
from wigwag.simulator.faults import Fault, Lasting
from wigwag.simulator.media_store import MediaGone, UnknownMedia
from wigwag.simulator.media_tls import Certificate

_BINARY = "application/octet-stream"
_PATHS = {"image", "video", "audio", "ptt", "document", "sticker", "gif", "ptv", "thumbnail-link", "md-app-state"}
_TICK = 0.05


def config(exchange: Exchange, certificate: Certificate) -> uvicorn.Config:
    """The server, to be run on a socket."""
    server = _MediaServer(exchange)
    app = Starlette(
        routes=[
            Route("/mms/{kind}/{token}", server.upload, methods=["POST"]),
            Route("/{path:path}", server.download, methods=["GET"]),
        ],
        exception_handlers={HTTPException: server.refuse},
    )
    return uvicorn.Config(
        app,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        ssl_context_factory=lambda _config, _default: certificate.context(),
    )


class _MediaServer:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange, self._store, self._journal = exchange, exchange.media, exchange.journal

    async def upload(self, request: Request) -> Response:
        """Answers url, direct_path and handle. 401 without a valid token; 400, 413 or 415 for what no client sends."""
        body = await _read(request, self._store.largest)  # first: while it speaks, a client need not listen
        device = self._store.holder(request.query_params.get("auth", ""), self._exchange.now())
        account = device.person.phone if device else ""
        await self._misbehave(request, account)
        if device is None:
            raise HTTPException(401, "no token, or none that a client was given lately")
        if len(body) > self._store.largest:
            raise HTTPException(413, f"more than {self._store.largest} bytes")
        _check(request, body)
        path, kind = self._store.keep(body, self._exchange.now()), request.path_params["kind"]
        self._journal.note("media", "upload", account, kind=kind, size=len(body))
        handle = base64.b64encode(path.encode()).decode()
        return JSONResponse({"url": self._store.url(path), "direct_path": path, "handle": handle})

    async def download(self, request: Request) -> Response:
        """Answers the encrypted file. 404 when there never was one, 410 when its time is over."""
        await self._misbehave(request)
        try:
            data = self._store.fetch(request.url.path, self._exchange.now())
        except UnknownMedia as error:
            raise HTTPException(404, str(error)) from error
        except MediaGone as error:
            raise HTTPException(410, str(error)) from error
        if self._strike("media_expired"):
            raise HTTPException(410, "the fault media_expired")
        self._journal.note("media", "download", size=len(data))
        return Response(data[: len(data) // 2] if self._strike("media_truncated") else data, media_type=_BINARY)

    async def refuse(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - what this handler is registered for
        self._journal.refuse("media", error.detail, status=error.status_code, method=request.method)
        return Response(status_code=error.status_code)

    async def _misbehave(self, request: Request, account: str = "") -> None:
        if fault := self._strike("media_slow", account):
            due = self._exchange.now() + fault.delay
            # A simulated clock has no bell.
            while self._exchange.now() < due and not await request.is_disconnected():  # noqa: ASYNC110
                await asyncio.sleep(_TICK)
        if fault := self._strike("media_refuse", account):
            raise HTTPException(fault.code, "the fault media_refuse")

    def _strike(self, kind: Lasting, account: str = "") -> Fault | None:
        return self._exchange.faults.strike(kind, account, self._exchange.now())


async def _read(request: Request, most: int) -> bytes:
    """The whole body; of one that is too large the beginning, one byte more than `most`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk[: most + 1 - len(body)]
    return bytes(body)


def _check(request: Request, body: bytes) -> None:
    token = request.path_params["token"]
    if request.path_params["kind"] not in _PATHS:
        raise HTTPException(404, "no kind of media is uploaded there")
    if request.headers.get("content-type", _BINARY) != _BINARY:
        raise HTTPException(415, f"a file is {_BINARY}")
    if not body:
        raise HTTPException(400, "an empty file")
    proper = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode()
    if {token.rstrip("="), request.query_params.get("token", "").rstrip("=")} != {proper.rstrip("=")}:
        raise HTTPException(400, "the token is not the hash of the file")
