# SPDX-License-Identifier: Apache-2.0
"""POST and GET to URLs that others gave us, within limits of time and size.

No redirect is followed, no proxy of the environment is used, and an answer is read only as far as it matters.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import httpcore

from wigwag import __version__
from wigwag.adapters.outgoing.guard import Guard, Resolve, resolve
from wigwag.app.ports import Fetcher, Postman
from wigwag.domain.addresses import Network, Url, parse_url
from wigwag.domain.errors import InvalidMessage, InvalidUrl, Unavailable
from wigwag.domain.webhooks import Answer

PATIENCE = 15.0  # seconds for one call, all included, so that a slow drip gains nothing (Standard Webhooks: 15 to 30)
FETCH_PATIENCE = 60.0  # seconds for media, which are larger
CONNECT_PATIENCE = 5.0  # seconds for one address of a host, so that there is time for the next
LARGEST_ANSWER = 1 << 16  # bytes read of an answer to a POST; the connection is closed if there is more
KEPT_OPEN, KEPT_FOR = 32, 30.0  # idle connections, and seconds

AGENT = f"wigwag/{__version__}".encode()

Headers = list[tuple[bytes, bytes]]


class Outgoing:
    """The ports Postman and Fetcher over HTTP/1.1.

    Args:
        allowed: networks that may be reached although they are not public.
        patience, fetch_patience: seconds for one call.
        trust: whose certificates are believed; by default those that this machine trusts.
    """

    def __init__(
        self,
        allowed: Collection[Network] = (),
        *,
        patience: float = PATIENCE,
        fetch_patience: float = FETCH_PATIENCE,
        resolve: Resolve = resolve,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._patience, self._fetch_patience = patience, fetch_patience
        self._guard, self._trust = Guard(allowed, resolve), trust or ssl.create_default_context()
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=self._trust,
            max_connections=None,
            max_keepalive_connections=KEPT_OPEN,
            keepalive_expiry=KEPT_FOR,
            network_backend=self._guard,
        )

    async def post(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        async with self._ask("POST", url, sent, content, self._patience) as response:
            read = 0
            async for chunk in response.aiter_stream():
                read += len(chunk)
                if read > LARGEST_ANSWER:
                    break
            return Answer(status=response.status, retry_after=_header(response, b"retry-after"))

    async def fetch(self, url: str, limit: int) -> bytes:
        try:
            async with self._ask("GET", url, [], b"", self._fetch_patience) as response:
                if response.status == 429 or response.status >= 500:
                    raise Unavailable(f"The server of the media answered {response.status}.")
                if not 200 <= response.status < 300:
                    raise InvalidMessage(f"The URL of the media answered {response.status}.", reason="media_url")
                return await _at_most(limit, response)
        except InvalidUrl as error:
            raise InvalidMessage(str(error), reason="media_url") from error

    async def reach(self, url: str) -> None:
        """Connect as for a request, and hang up. Raises InvalidUrl or Unavailable, which say why it cannot be."""
        asked = parse_url(url)
        with _translated(asked):
            stream = await self._guard.connect_tcp(asked.host, asked.port, CONNECT_PATIENCE)
            try:
                if asked.scheme == "https":
                    stream = await stream.start_tls(self._trust, asked.host, CONNECT_PATIENCE)
            finally:
                await stream.aclose()

    async def close(self) -> None:
        await self._pool.aclose()
        self._guard.close()

    @asynccontextmanager
    async def _ask(
        self, method: str, url: str, headers: Headers, content: bytes, patience: float
    ) -> AsyncIterator[httpcore.Response]:
        """The answer to a request, until the block ends."""
        asked = parse_url(url)
        where = httpcore.URL(scheme=asked.scheme, host=asked.host, port=asked.port, target=asked.target)
        own = [(b"host", _host(asked)), (b"user-agent", AGENT), (b"accept", b"*/*")]
        if method == "POST":
            own.append((b"content-length", str(len(content)).encode()))
        limits = {"timeout": {"connect": CONNECT_PATIENCE}}
        with _translated(asked):
            try:
                async with asyncio.timeout(patience):
                    async with self._pool.stream(
                        method, where, headers=own + headers, content=content, extensions=limits
                    ) as response:
                        yield response
            except TimeoutError as error:
                raise Unavailable(f"{asked.host} did not answer within {patience:g} s.") from error


@contextmanager
def _translated(asked: Url) -> Iterator[None]:
    """Errors of the library become Unavailable."""
    try:
        yield
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
        raise Unavailable(f"{asked.host} did not answer ({_reason(error)}).") from error


async def _at_most(limit: int, response: httpcore.Response) -> bytes:
    read = bytearray()
    async for chunk in response.aiter_stream():
        read += chunk
        if len(read) > limit:
            raise InvalidMessage(f"The media are larger than {limit} bytes.", reason="media_too_large")
    return bytes(read)


def _host(asked: Url) -> bytes:
    name = f"[{asked.host}]" if ":" in asked.host else asked.host
    usual = asked.port == {"http": 80, "https": 443}[asked.scheme]
    return (name if usual else f"{name}:{asked.port}").encode()


def _header(response: httpcore.Response, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in response.headers if key.lower() == name), "")


def _reason(error: Exception) -> str:
    """Why, in a word: no certificate that we trust, or the kind of the error. Texts of servers are not repeated."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not valid: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__


if TYPE_CHECKING:
    _poster: type[Postman] = Outgoing
    _fetcher: type[Fetcher] = Outgoing
