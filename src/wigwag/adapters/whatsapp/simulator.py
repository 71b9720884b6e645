# SPDX-License-Identifier: Apache-2.0
"""Points this process's whatsmeow at a simulator: what it pins as constants is swapped in memory.

It is the same library as in production, byte for byte, but for these four: the websocket address, the root key, and
where Go looks for certificates (a file, and the variable that overrules it). The environment would be too late: Go
copies it when the library is loaded. Linux only, and once a process.
"""

import ctypes
import os
import sys
from urllib.parse import urlsplit

from wigwag.adapters.whatsapp.library import library_path
from wigwag.domain.errors import Conflict, Unavailable

ROOT_KEY = bytes.fromhex("142375574d0a587166aae71ebe516437c4a28b73e3695c6ce1f7f9545da8ee6b")  # whatsmeow handshake.go
ADDRESS = b"wss://web.whatsapp.com/ws/chat"  # whatsmeow socket/constants.go
CERTIFICATES = b"/etc/ssl/certs/ca-certificates.crt"  # Go crypto/x509/root_linux.go, the first that it tries
VARIABLE = b"SSL_CERT_FILE"  # Go crypto/x509/root_unix.go
NO_VARIABLE = b"=" * len(VARIABLE)  # a name that no variable can have

_READ_WRITE_EXECUTE, _PAGE = 7, 4096
_attached: tuple[str, bytes, str] | None = None


def attach(url: str, root_key: bytes, certificate: str) -> None:
    """Connect to the simulator at `url` (http://127.0.0.1:<port>) from now on, and trust its root key (32 bytes).

    `certificate`: that of its media server (PEM); whatsmeow trusts it beside those that the system trusts, and nobody
    else in this process does. Call this before anything connects: Go reads its certificates once.

    Raises:
        Unavailable: not on Linux, or the library is not one that we know.
        Conflict: this process is attached to another simulator already.
    """
    global _attached  # noqa: PLW0603  the library is one a process, and so is what was done to it
    simulator, address = (url, root_key, certificate), _websocket(url)
    if _attached == simulator:
        return
    if _attached is not None:
        raise Conflict("This process talks to another simulator already: start a new one.")
    if sys.platform != "linux":
        raise Unavailable("The simulator can be used on Linux only: elsewhere, pair with WhatsApp itself.")
    news = {ADDRESS: address, ROOT_KEY: root_key, CERTIFICATES: _file(certificate), VARIABLE: NO_VARIABLE}
    places = {old: _place(old) for old in news}
    for old, new in news.items():
        _write(places[old], new)
    _attached = simulator


def _websocket(url: str) -> bytes:
    """The websocket address, made as long as the one that it replaces; more slashes at its end mean the same."""
    parts = urlsplit(url)
    address = f"ws://{parts.hostname}:{parts.port}/ws/chat".encode()
    if len(address) > len(ADDRESS):
        raise Unavailable(f"The simulator's address is too long: at most {len(ADDRESS) - 14} characters for host:port.")
    return address + b"/" * (len(ADDRESS) - len(address))


def _file(certificate: str) -> bytes:
    """A path to the certificate, as long as the one that it replaces. It lives in memory and ends with the process."""
    number = os.memfd_create("wigwag-certificate")
    os.write(number, certificate.encode())
    start, rest = b"/proc", f"/self/fd/{number}".encode()
    return start + b"/" * (len(CERTIFICATES) - len(start) - len(rest)) + rest


def _place(old: bytes) -> int:
    """The address of the bytes. Raises Unavailable unless there is exactly one."""
    places = [start + at for start, at in _found(old)]
    if len(places) != 1:
        raise Unavailable("This version of the WhatsApp library cannot be pointed at the simulator.")
    return places[0]


def _write(place: int, new: bytes) -> None:
    libc, page = ctypes.CDLL(None, use_errno=True), place & ~(_PAGE - 1)
    if libc.mprotect(ctypes.c_void_p(page), 2 * _PAGE, _READ_WRITE_EXECUTE):
        raise Unavailable("This machine does not allow pointing the WhatsApp library at the simulator (mprotect).")
    ctypes.memmove(place, new, len(new))


def _found(wanted: bytes) -> list[tuple[int, int]]:
    """Where the bytes are in the loaded library: (start of the mapping, offset), once per mapping."""
    found, name = [], library_path().name
    with open("/proc/self/maps", encoding="utf-8") as maps:  # noqa: PTH123  a kernel file, not a path of ours
        for line in maps:
            span, mode = line.split()[:2]
            if name in line and "r" in mode:
                start, end = (int(bound, 16) for bound in span.split("-"))
                at = ctypes.string_at(start, end - start).find(wanted)
                if at >= 0:
                    found.append((start, at))
    return found
