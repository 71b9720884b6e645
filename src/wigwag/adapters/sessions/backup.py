# SPDX-License-Identifier: Apache-2.0
"""Makes a backup: a snapshot of each session and of our own SQLite database, sealed into one file.

The gateway may run meanwhile. Snapshots lie for a moment beside the sessions, where nobody else can read them.
"""

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from wigwag.adapters.sessions.archive import DATABASE, Part, pack
from wigwag.adapters.sessions.durable import written
from wigwag.adapters.sessions.files import PATIENCE, image_of, session_files, session_in
from wigwag.adapters.sessions.sealed import COST, Passphrase, seal
from wigwag.domain.errors import Conflict, NotFound, Unavailable


def back_up(
    sessions: Path,
    database: Path | None,
    target: Path,
    passphrase: Passphrase,
    *,
    force: bool = False,
    tell: Callable[[Part], None] = lambda _: None,
    cost: int = COST,
) -> None:
    """Write a backup of all sessions in a folder, and of our database if it is a file.

    Args:
        tell: hears of each part once it is copied.
        cost: log2 of scrypt's N.

    Raises:
        Conflict: the target is there already, and no force was given.
        NotFound: there is nothing to back up, or no folder for it.
        Unavailable: a file cannot be read, or the target cannot be written.
    """
    if target.exists() and not force:
        raise Conflict(f"{target} exists: choose another name, or replace it with --force.")
    if not target.parent.is_dir():
        raise NotFound(f"There is no folder {target.parent}: make it first.")
    if not session_files(sessions):
        raise NotFound(f"There are no WhatsApp sessions in {sessions}: say where they are with --data.")
    secret = passphrase()
    try:
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=sessions) as staging:
            _snapshots(sessions, database, Path(staging), tell)
            with written(target) as file:
                for piece in seal(pack(Path(staging)), secret, cost=cost):
                    file.write(piece)
    except OSError as error:
        raise Unavailable(f"The backup cannot be written ({error.strerror}: {error.filename or target}).") from error


def _snapshots(sessions: Path, database: Path | None, staging: Path, tell: Callable[[Part], None]) -> None:
    for path in session_files(sessions):
        image = image_of(path)
        session_in(path.name, image)  # a backup of something else would be no help
        copy = staging / path.name
        copy.write_bytes(image)
        tell(Part(name=copy.name, size=copy.stat().st_size))
    if database is not None and database.exists():
        copy = staging / DATABASE
        _copy_database(database, copy)
        tell(Part(name=copy.name, size=copy.stat().st_size))


def _copy_database(source: Path, copy: Path) -> None:
    """SQLite's online backup: one instant of a database that others write to."""
    address = f"{source.absolute().as_uri()}?mode=rw"
    try:
        with (
            closing(sqlite3.connect(address, uri=True, timeout=PATIENCE)) as here,
            closing(sqlite3.connect(copy)) as to,
        ):
            here.backup(to)
    except sqlite3.Error as error:
        raise Unavailable(f"The database {source} cannot be read ({error}).") from error
