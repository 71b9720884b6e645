# SPDX-License-Identifier: Apache-2.0
"""Media as files, one for each content, named by its SHA-256. The file's time says when it was last used.

Every call goes through a thread and ends within a time limit. What the bytes mean is known to `domain.media`.
"""

import asyncio
import errno
import hashlib
import mimetypes
import os
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Lock
from typing import TypeVar

from wigwag.adapters.media import pictures
from wigwag.domain import durations, media
from wigwag.domain.contents import Kind
from wigwag.domain.errors import NotFound, Unavailable
from wigwag.domain.media import Prepared

PATIENCE = 30.0  # seconds for one call
FRESH = 600.0  # seconds from an upload to the message that names it
_AT_ONCE = 2  # calls in threads: each may hold a file and its pixels in memory
_UNFINISHED = ".part"
_ABANDONED = 3600.0  # seconds after which an unfinished file belongs to a process that died
_ID = re.compile(r"[0-9a-f]{64}")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_SUCH = "These media are not here any more: upload them again."

T = TypeVar("T")


class MediaFiles:
    """Keeps media in a folder that nobody else may read (`app.ports.MediaStore`), and prepares them for sending.

    `usage` is how many bytes are kept. The budget, in bytes, is kept to by `cleanup` alone, so that nothing needed is
    ever refused for it.
    """

    def __init__(self, folder: Path, *, budget: int, now: Callable[[], float]) -> None:
        """Make the folder if there is none. Raises Unavailable."""
        self._folder = folder
        self._budget = budget
        self._now = now
        self._order = Lock()  # nothing is deleted while somebody finds that it is there
        self._turns = asyncio.Semaphore(_AT_ONCE)
        with _wall():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            self.usage = sum(size for _, size, _ in self._kept())

    async def keep(self, data: bytes) -> str:
        """Keep bytes. Returns their id. The same bytes are kept once. Raises Unavailable when the disk is full."""
        media_id = await self._away(lambda: hashlib.sha256(data).hexdigest())
        self.usage += await self._away(self._write, media_id, data)
        return media_id

    async def has(self, media_id: str) -> bool:
        """Whether they are here. Then `cleanup` leaves them alone for ten minutes."""
        return await self._away(self._has, media_id)

    async def read(self, media_id: str) -> bytes:
        """Raises NotFound."""
        return await self._away(self._read, media_id)

    async def prepare(self, media_id: str, kind: Kind, mimetype: str = "", filename: str = "") -> Prepared:
        """What is to be uploaded, and what WhatsApp wants to be told about it.

        Raises:
            NotFound: there are no such media.
            InvalidMessage: they cannot be sent as that kind; `reason` is media_empty, media_too_large,
                media_unsupported or media_broken.
        """
        return await self._away(lambda: _prepared(self._read(media_id), kind, mimetype, filename))

    async def remove(self, ids: Collection[str]) -> None:
        self.usage -= await self._away(self._remove, list(ids))

    async def cleanup(self, needed: Collection[str]) -> int:
        """Delete what was not used for longest until the rest fits the budget, but none that is needed. How many.

        What was used within the last ten minutes stays as well: somebody may be about to need it.
        """
        removed, self.usage = await self._away(self._clean, set(needed))
        return removed

    async def _away(self, work: Callable[..., T], *arguments: object) -> T:
        """Do it in a thread. One that does not come back keeps its turn, so that there are never many."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._turns.acquire()
                thread = asyncio.create_task(asyncio.to_thread(work, *arguments), name="media")
                thread.add_done_callback(self._come_back)
                with _wall():
                    return await asyncio.shield(thread)
        except TimeoutError as error:
            raise Unavailable("The media folder does not answer: look at its disk.") from error

    def _come_back(self, thread: "asyncio.Task[T]") -> None:
        self._turns.release()
        if not thread.cancelled():
            thread.exception()  # so that nobody is told of what a caller who left did not hear

    def _write(self, media_id: str, data: bytes) -> int:
        """How many bytes are new. Either all are there under their name, or none."""
        path = self._path(media_id)
        with self._order:
            if path.exists():
                self._touch(path)
                return 0
        with NamedTemporaryFile(dir=self._folder, suffix=_UNFINISHED, delete=False) as file:
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        self._touch(path)
        self._settle()
        return len(data)

    def _has(self, media_id: str) -> bool:
        if not _ID.fullmatch(media_id):
            return False
        with self._order:
            path = self._path(media_id)
            here = path.exists()
            if here:
                self._touch(path)
        return here

    def _read(self, media_id: str) -> bytes:
        path = self._path(media_id)
        try:
            data = path.read_bytes()
            self._touch(path)
        except FileNotFoundError as error:
            raise NotFound(_NO_SUCH) from error
        return data

    def _remove(self, ids: list[str]) -> int:
        freed = 0
        for media_id in ids:
            path = self._path(media_id)
            if path.exists():
                freed += path.stat().st_size
                path.unlink()
        return freed

    def _clean(self, needed: set[str]) -> tuple[int, int]:
        for path in self._folder.glob(f"*{_UNFINISHED}"):
            if path.stat().st_mtime < self._now() - _ABANDONED:
                path.unlink()
        with self._order:
            kept = sorted(self._kept())
            usage, removed = sum(size for _, size, _ in kept), 0
            for used, size, path in kept:
                if usage <= self._budget or used > self._now() - FRESH:
                    break
                if path.name not in needed:
                    path.unlink()
                    usage, removed = usage - size, removed + 1
        return removed, usage

    def _kept(self) -> Iterator[tuple[float, int, Path]]:
        """When each file was last used, its size, and where it is."""
        for path in self._folder.iterdir():
            if _ID.fullmatch(path.name):
                status = path.stat()
                yield status.st_mtime, status.st_size, path

    def _path(self, media_id: str) -> Path:
        if not _ID.fullmatch(media_id):
            raise NotFound(_NO_SUCH)
        return self._folder / media_id

    def _touch(self, path: Path) -> None:
        os.utime(path, (self._now(), self._now()))

    def _settle(self) -> None:
        """Bring the folder itself to the disk, or a new name in it may be lost with the power."""
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def _wall() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            full = "The disk of the media folder is full: free some of it, or make the budget of media smaller."
            raise Unavailable(full) from error
        raise Unavailable(f"The media folder cannot be used ({error.strerror}): look at its disk and owner.") from error


def _prepared(data: bytes, kind: Kind, claimed: str, filename: str) -> Prepared:
    mimetype = media.judge(kind, data, claimed)
    if kind is Kind.IMAGE:
        return pictures.image(data, mimetype)
    if kind is Kind.STICKER:
        return pictures.sticker(data, mimetype)
    if kind is Kind.DOCUMENT:
        if mimetype == media.UNKNOWN:
            mimetype = mimetypes.guess_type(filename)[0] or mimetype
        return Prepared(data=data, mimetype=mimetype)
    width, height = durations.frame(data) if kind is Kind.VIDEO else (0, 0)
    seconds = durations.seconds(data, mimetype)
    return Prepared(data=data, mimetype=mimetype, width=width, height=height, seconds=seconds)
