# SPDX-License-Identifier: Apache-2.0
"""Faults that strike once: the line is cut, the stream ends with an error, a device is unlinked, subscriptions vanish.

Each is a function on the open streams of an account, or of all. Faults that last are in `faults`.
"""

from collections.abc import Callable

from wigwag.simulator.exchange import Exchange, Stream
from wigwag.simulator.stanzas import login, presence
from wigwag.simulator.wire import Node


def happen(exchange: Exchange, kind: str, account: str | None, code: int) -> None:
    """`code` matters to stream_error only. A logged out device is unlinked even when it is not connected."""
    if kind == "logged_out":
        devices = [d for p in exchange.world.accounts() if account in (None, p.phone) for d in p.devices.values()]
        for device in devices:
            login.remove(exchange, device)
        return
    for stream in exchange.streams_of(account):
        _STRIKES[kind](exchange, stream, code)


def _cut(_exchange: Exchange, stream: Stream, _code: int) -> None:
    stream.connection.abort()


def _replaced(_exchange: Exchange, stream: Stream, _code: int) -> None:
    stream.end(login.replaced())


def _stream_error(_exchange: Exchange, stream: Stream, code: int) -> None:
    stream.end(Node("stream:error", {"code": str(code)}))


def _forget(exchange: Exchange, stream: Stream, _code: int) -> None:
    presence.forget(exchange, stream)


_STRIKES: dict[str, Callable[[Exchange, Stream, int], None]] = {
    "cut": _cut,
    "replaced": _replaced,
    "stream_error": _stream_error,
    "forget_subscriptions": _forget,
}

MISHAPS = ("logged_out", *_STRIKES)
