# SPDX-License-Identifier: Apache-2.0
"""What stands before the sessions while a gateway runs: one process only, private files, and the generation fence.

It must be passed before whatsmeow opens a file. Afterwards files are looked at without SQLite and never closed before
the end, because that would take away the locks of whatsmeow (POSIX: they end when any handle of the process closes).
"""

import asyncio
import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock

from wigwag.adapters.sessions.fence import Fence
from wigwag.adapters.sessions.files import Session, make_private, read, session_files, session_in
from wigwag.domain.errors import Conflict, GatewayError, Unavailable

log = logging.getLogger(__name__)

LOCK = "gateway.lock"
LOOK_EVERY = 60.0  # seconds; an old copy that is younger than this goes unnoticed after a kill
_HEADER = 100  # bytes (SQLite file format, 1.3)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Have the sessions for ourselves. The lock ends with the process, however it ends.

    Raises:
        Conflict: another process has them.
        Unavailable: the folder cannot be used.
    """
    make_private(folder)
    try:
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Unavailable(f"Cannot lock {folder} ({error.strerror}): set WHATSAPP_SESSION_PATH.") from error
    try:
        _take(handle, folder)
        yield
    finally:
        os.close(handle)


@contextmanager
def guarded(folder: Path) -> Iterator["Guard"]:
    """Let a gateway use the sessions in the folder, and note at the end how far they came.

    Raises:
        Conflict: another process has them, or one of them is an old copy.
        Unavailable: the folder or a file cannot be used.
    """
    with locked(folder):
        fence, sessions = Fence(folder), [read(path) for path in session_files(folder)]
        fence.check(sessions)
        fence.note(sessions)
        with closing(Guard(folder, fence)) as guard:
            yield guard


class Guard:
    """Notes the generations of sessions while whatsmeow works on them."""

    def __init__(self, folder: Path, fence: Fence) -> None:
        self._folder, self._fence = folder, fence
        self._handles: dict[tuple[int, int], int] = {}  # of each file by what it is, not by its name
        self._seen: dict[str, bytes] = {}
        self._looking = Lock()  # a look may still go on in its thread when the end comes

    async def run(self, every: float = LOOK_EVERY) -> None:
        """Look each so many seconds, for ever."""
        while True:
            await asyncio.sleep(every)
            try:
                await asyncio.to_thread(self.look)
            except (OSError, Unavailable) as error:  # a full disk must not end the gateway; the next look may do better
                log.warning("Generations are not noted: %s", error, extra={"action": "sessions.unnoted"})

    def look(self) -> None:
        """Note how far each session is. One that is being written to waits for the next look.

        Raises:
            OSError: a file cannot be read.
            Unavailable: the generations cannot be written down.
        """
        with self._looking:
            found = [peeked for path in session_files(self._folder) if (peeked := self._peek(path))]
            self._fence.note([session for session, _ in found])
            self._seen |= {session.file: header for session, header in found}  # those that are written down

    def close(self) -> None:
        """Look for the last time. Nobody may use the sessions any more."""
        try:
            self.look()
        finally:
            with self._looking:
                for handle in self._handles.values():
                    os.close(handle)
                self._handles.clear()

    def _peek(self, path: Path) -> tuple[Session, bytes] | None:
        """The session and the header of its file, if it changed and is at rest.

        While a transaction lasts there is something in the journal beside the file, so what is read between two looks
        at an empty journal, or none, is committed.
        """
        handle = self._handle(path)
        before = os.pread(handle, _HEADER, 0)
        if before == self._seen.get(path.name) or _changing(path):
            return None
        image = os.pread(handle, os.fstat(handle).st_size, 0)
        if _changing(path) or image[:_HEADER] != before or os.pread(handle, _HEADER, 0) != before:
            return None
        try:
            return session_in(path.name, image), before
        except GatewayError:  # read in the middle of a change
            return None

    def _handle(self, path: Path) -> int:
        found = path.stat()
        key = (found.st_dev, found.st_ino)
        if key not in self._handles:
            self._handles[key] = os.open(path, os.O_RDONLY)
        return self._handles[key]


def _changing(path: Path) -> bool:
    """Whether a transaction is under way in a database with a rollback journal."""
    try:
        return Path(f"{path}-journal").stat().st_size > 0
    except FileNotFoundError:
        return False


def _take(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(handle, 20, 0).decode("ascii", "replace").strip() or "unknown"
        raise Conflict(
            f"Another wigwag (process {owner}) uses the sessions in {folder}: stop it first, or choose another "
            "folder with --data or WHATSAPP_SESSION_PATH. Two on one session would end each other's link."
        ) from error
    os.ftruncate(handle, 0)
    os.pwrite(handle, str(os.getpid()).encode(), 0)
