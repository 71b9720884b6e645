# SPDX-License-Identifier: Apache-2.0
"""Connects only to addresses that may be reached, and to the very address that was judged.

Names are resolved here, so that nobody can answer us a public address and the library a private one (DNS rebinding).
"""

import asyncio
import socket
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

import httpcore

from wigwag.domain.addresses import Address, Network, may_connect
from wigwag.domain.errors import InvalidUrl

Resolve = Callable[[str], Sequence[str]]
"""The addresses of a name. Blocks. Raises OSError."""

RESOLVERS = 16  # names at once; a slow name server must not keep the other names, nor anything else, waiting


class Guard(httpcore.AsyncNetworkBackend):
    """A network for httpcore that ends at our walls.

    Args:
        allowed: networks that may be reached although they are not public.
        resolve: asks for the addresses of a name.
    """

    def __init__(self, allowed: Collection[Network], resolve: Resolve) -> None:
        self._allowed, self._resolve = allowed, resolve
        self._network = httpcore.AnyIOBackend()
        self._threads = ThreadPoolExecutor(RESOLVERS, thread_name_prefix="resolve")

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of the host that may be reached and answers."""
        open_to = [address for address in await self._addresses(host) if may_connect(address, self._allowed)]
        if not open_to:
            raise InvalidUrl(
                f"{host} is an address inside this machine or network. If it should be reached, name its network in "
                "WIGWAG_OUTGOING_ALLOW."
            )
        failure: httpcore.NetworkError | httpcore.TimeoutException | None = None
        for address in open_to:
            try:
                return await self._network.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.NetworkError, httpcore.TimeoutException) as error:
                failure = failure or error
        assert failure is not None  # noqa: S101  the loop ran
        raise failure

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _addresses(self, host: str) -> list[Address]:
        try:
            return [ip_address(host)]
        except ValueError:
            pass
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._threads, self._resolve, host)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} has no address") from error
        return [ip_address(address) for address in found]


def resolve(host: str) -> list[str]:
    """The addresses of a name, as the machine's resolver gives them."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
