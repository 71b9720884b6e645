# SPDX-License-Identifier: Apache-2.0
"""What stands before the sessions while a gateway runs: one process only, private files, and the generation fence.

It must be passed before whatsmeow opens a file. From then on another process looks into them, because to close a file
here would take away the locks of whatsmeow (POSIX: they end when any handle of the process closes).
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
from wigwag.adapters.sessions.files import make_private, read, read_elsewhere, session_files
from wigwag.domain.errors import Conflict, Unavailable

log = logging.getLogger(__name__)

LOCK = "gateway.lock"
LOOK_EVERY = 60.0  # seconds; an old copy that is younger than this goes unnoticed after a kill


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
        self._seen: dict[Path, list[tuple[int, int]]] = {}
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
        """Note how far each session is that has changed.

        Raises:
            OSError: a file cannot be found.
            Unavailable: the files cannot be read, or the generations not be written down.
        """
        with self._looking:
            now = {path: _marks(path) for path in session_files(self._folder)}
            changed = [path for path, marks in now.items() if marks != self._seen.get(path)]
            if changed:
                self._fence.note(read_elsewhere(changed))
                self._seen = now

    def close(self) -> None:
        """Look for the last time, and leave files that are whole. Nobody may use the sessions any more."""
        with self._looking:
            if files := session_files(self._folder):
                self._fence.note(read_elsewhere(files, settle=True))


def _marks(path: Path) -> list[tuple[int, int]]:
    """What changes whenever SQLite writes to a database: the times and sizes of its file and its write-ahead log."""
    there = [file.stat() for file in (path, Path(f"{path}-wal")) if file.exists()]
    return [(found.st_mtime_ns, found.st_size) for found in there]


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
