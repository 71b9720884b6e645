# SPDX-License-Identifier: Apache-2.0
"""Files in a row, as one stream: a list of what follows, then each file. It is sealed as a whole, elsewhere.

Nothing is known here of what the files are, but for their names: a name that is not one of ours is never written.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wigwag.adapters.sessions.files import NAME, account_of
from wigwag.adapters.sessions.sealed import CHUNK, damaged

DATABASE = "wigwag.db"
_LENGTH = struct.Struct("> I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file in a backup; size in bytes."""

    name: str
    size: int

    @property
    def account(self) -> str | None:
        """Whose session it is; None: our database."""
        return None if self.name == DATABASE else account_of(self.name)


def pack(folder: Path) -> Iterator[bytes]:
    """All files of the folder as one stream."""
    paths = sorted(folder.iterdir())
    contents = json.dumps([{"name": path.name, "size": path.stat().st_size} for path in paths]).encode()
    yield _LENGTH.pack(len(contents)) + contents
    for path in paths:
        with path.open("rb") as file:
            while data := file.read(CHUNK):
                yield data


def unpack(stream: Iterator[bytes], folder: Path) -> list[Part]:
    """Write the files of a stream into the folder. Raises GatewayError."""
    reader = _Reader(stream)
    parts = _parts(reader.read(_LENGTH.unpack(reader.read(_LENGTH.size))[0]))
    for part in parts:
        with (folder / part.name).open("xb") as file:
            for data in reader.pieces(part.size):
                file.write(data)
    if reader.more():
        raise damaged()
    return parts


def _parts(contents: bytes) -> list[Part]:
    try:
        parts = [Part(name=str(each["name"]), size=int(each["size"])) for each in json.loads(contents)]
    except (ValueError, KeyError, TypeError) as error:
        raise damaged() from error
    names = {part.name for part in parts}
    if len(names) < len(parts) or any(name != DATABASE and not NAME.fullmatch(name) for name in names):
        raise damaged()
    return parts


class _Reader:
    """Takes as many bytes as are asked for from a stream of pieces of any length."""

    def __init__(self, stream: Iterator[bytes]) -> None:
        self._stream, self._rest = stream, b""

    def read(self, size: int) -> bytes:
        return b"".join(self.pieces(size))

    def pieces(self, size: int) -> Iterator[bytes]:
        while size:
            if not self.more():
                raise damaged()
            piece, self._rest = self._rest[:size], self._rest[size:]
            size -= len(piece)
            yield piece

    def more(self) -> bool:
        """Whether anything is left. The stream is read to its end for that."""
        while not self._rest:
            try:
                self._rest = next(self._stream)
            except StopIteration:
                return False
        return True
