# SPDX-License-Identifier: Apache-2.0
"""What the room asks of whoever stands behind it, and how that one says no.

Events and their meaning are given from outside; nothing here knows one by name.
"""

from collections.abc import Mapping
from typing import Any, NewType, Protocol

RATE_LIMITED = "rate_limited"
SocketId = NewType("SocketId", str)
"""One connection of one client to one namespace."""


class Refused(Exception):
    """No, and why: a code for programs and a sentence for people. Both are sent to the client."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Handlers(Protocol):
    """Calls for one socket come one after the other, `connect` first and `disconnect` last and once.

    But `silent` and `disconnect` may come while `back` waits. Each may emit, to its own socket too. A client's next
    packet is read when the call has returned.
    """

    async def connect(self, socket: SocketId, auth: dict[str, Any], headers: Mapping[str, str]) -> None:
        """A client wants in. Raises Refused, which becomes CONNECT_ERROR; then no `disconnect` follows.

        Args:
            auth: what the client gave as `auth`, unchecked.
            headers: of the request that opened the connection; their names in small letters.
        """
        ...

    async def event(self, socket: SocketId, name: str, args: list[Any]) -> list[Any] | None:
        """Return what acknowledges it. Raises Refused: an `error` event, and an ack with it if one was asked."""
        ...

    def silent(self, socket: SocketId) -> None:
        """The client does not answer: it may be gone, or come back. Must not wait."""
        ...

    async def back(self, socket: SocketId) -> None:
        """It has answered, after `silent`. When this raises, it is called again at the next answer."""
        ...

    async def disconnect(self, socket: SocketId, clean: bool) -> None:
        """The socket is gone.

        Args:
            clean: the client said goodbye. Not clean: it fell silent, its connection broke, or we ended it.
        """
        ...
