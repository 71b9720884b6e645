# SPDX-License-Identifier: Apache-2.0
"""The encrypted files that the media server keeps, and the tokens with which clients may add to them.

State only, bounded in bytes: when there are too many the oldest go, and are answered as gone, like those whose time is
over. The server cannot read them. Times are seconds since the epoch.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any

from wigwag.simulator.world import Device

MEBIBYTE = 1024 * 1024
LIFETIME = 30 * 86_400
AUTH_LIFETIME = 6 * 3_600
_MAX_TOKENS = 10_000
_MAX_GONE = 100_000


class UnknownMedia(LookupError):
    """There never was a file under that path."""


class MediaGone(LookupError):
    """There was a file, but its time is over."""


@dataclass(frozen=True, slots=True)
class _File:
    data: bytes
    expires: float


@dataclass(slots=True)
class MediaStore:
    """`host`: where the media server answers, as host:port; `certificate`: what clients must trust there, in PEM.

    `capacity`: bytes in all. `largest`: bytes of one file.
    """

    host: str = ""
    certificate: str = ""
    capacity: int = 512 * MEBIBYTE
    largest: int = 100 * MEBIBYTE
    size: int = 0
    _files: dict[str, _File] = field(default_factory=dict)
    _gone: dict[str, None] = field(default_factory=dict)
    _tokens: dict[str, tuple[Device, float]] = field(default_factory=dict)

    def admit(self, device: Device, now: float) -> str:
        """A token with which this device may upload for a while."""
        token = secrets.token_urlsafe(48)
        self._tokens[token] = device, now + AUTH_LIFETIME
        _keep_newest(self._tokens, _MAX_TOKENS)
        return token

    def holder(self, token: str, now: float) -> Device | None:
        """Whose token it is; nobody's once its time is over or the device is no longer linked."""
        device, until = self._tokens.get(token, (None, 0.0))
        linked = device is not None and device.person.devices.get(device.number) is device
        return device if linked and now < until else None

    def keep(self, data: bytes, now: float) -> str:
        """Take an encrypted file. Returns its direct path, with which messages refer to it."""
        path, expires = f"/v/t62.7118-24/{hashlib.sha256(data).hexdigest()[:32]}_n.enc", now + LIFETIME
        self._drop(path)
        self._gone.pop(path, None)
        self._files[path] = _File(data, expires)
        self.size += len(data)
        while self.size > self.capacity:
            self._expire(next(iter(self._files)))
        return f"{path}?ccb=11-4&oe={int(expires):X}"

    def url(self, path: str) -> str:
        """The whole address of a direct path."""
        return f"https://{self.host}{path}&mms3=true"

    def fetch(self, path: str, now: float) -> bytes:
        """The file under a direct path, with or without its query. Raises UnknownMedia or MediaGone."""
        path = path.partition("?")[0]
        if path in self._files and self._files[path].expires <= now:
            self._expire(path)
        if path in self._gone:
            raise MediaGone(f"the file {path} is no longer kept")
        if path not in self._files:
            raise UnknownMedia(f"no file {path}")
        return self._files[path].data

    def _expire(self, path: str) -> None:
        self._drop(path)
        self._gone[path] = None
        _keep_newest(self._gone, _MAX_GONE)

    def _drop(self, path: str) -> None:
        if file := self._files.pop(path, None):
            self.size -= len(file.data)


def _keep_newest(items: dict[str, Any], limit: int) -> None:
    if len(items) > limit:
        del items[next(iter(items))]
