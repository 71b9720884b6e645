# SPDX-License-Identifier: Apache-2.0
"""whatsmeow's session files: which there are, who may read them, and what a copy of one says about itself.

A file is read through SQLite only where no gateway of this process has it open: closing it again would take away the
locks of whatsmeow's own SQLite (a rule of POSIX locks). Of one that is open here, another process says how it stands.
"""

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path

from wigwag.domain.errors import GatewayError, Unavailable

PATIENCE = 10.0  # seconds for whatsmeow to end what it writes
NAME = re.compile(r"whatsapp(?:-(?P<account>[\w.-]+))?\.db")
COMPANIONS = ("-journal", "-wal", "-shm")  # what SQLite puts beside a database
_COUNTER = slice(24, 28)  # the file change counter (SQLite file format, 1.3.8)
_MODES = slice(18, 20)  # the file format versions; 1 is a rollback journal, which a copy in memory needs
_READ = "import sys; from wigwag.adapters.sessions import files; files.tell(sys.argv[1] == 'settle', sys.argv[2:])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a session file says about itself.

    Args:
        file: its name, such as `whatsapp.db`.
        device: fingerprint of the keys that were made at pairing; None: not paired.
        generation: SQLite's count of changes to the file, and the messages whose secrets are in it. It only rises, and
            a copy keeps it.
    """

    file: str
    device: str | None
    generation: int

    @property
    def account(self) -> str:
        return account_of(self.file)


def account_of(file: str) -> str:
    """The account whose session this file is. The first one is `whatsapp.db`."""
    found = NAME.fullmatch(file)
    return (found and found["account"]) or "default"


def session_files(folder: Path) -> list[Path]:
    """The session files in a folder, in the order of their names."""
    return sorted(path for path in folder.glob("whatsapp*.db") if NAME.fullmatch(path.name))


def make_private(folder: Path) -> None:
    """Make the folder, and let nobody else into it or its session files. Raises Unavailable."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        for path in session_files(folder):
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)
    except OSError as error:
        raise Unavailable(
            f"Cannot keep {error.filename or folder} for ourselves ({error.strerror}), and whoever reads a session is "
            "the account: give it to the user who runs wigwag, or set WHATSAPP_SESSION_PATH."
        ) from error


def image_of(path: Path) -> bytes:
    """All bytes of a session as of one instant, while others may write to it. What a crash left half is rolled back.

    Raises:
        Unavailable: it is no database, or somebody does not end writing to it.
    """
    try:
        if path.stat().st_size == 0:
            return b""
        address = f"{path.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(address, uri=True, timeout=PATIENCE, isolation_level=None)) as database:
            database.execute("BEGIN")
            database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()  # or it says what is wrong
            return database.serialize()
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(
            f"The session {path} cannot be read ({error}): put a backup in its place with `wigwag restore`, or move it "
            "away and pair again."
        ) from error


def session_in(file: str, image: bytes) -> Session:
    """What an image says about itself. Raises GatewayError if it is no session."""
    try:
        device, secrets = _content(image)
    except sqlite3.Error as error:
        raise GatewayError(f"{file} is not a WhatsApp session that this version knows ({error}).") from error
    return Session(file=file, device=device, generation=int.from_bytes(image[_COUNTER], "big") + secrets)


def read(path: Path) -> Session:
    """What a session file says about itself. Raises GatewayError."""
    return session_in(path.name, image_of(path))


def read_elsewhere(paths: Iterable[Path], *, settle: bool = False) -> list[Session]:
    """What files say that this process may have open. One that is damaged says nothing.

    Args:
        settle: empty the logs beside them, so that each file is whole by itself.

    Raises:
        Unavailable: they cannot be looked at.
    """
    command = [sys.executable, "-I", "-c", _READ, "settle" if settle else "look", *map(str, paths)]
    try:
        told = subprocess.run(  # noqa: S603  ourselves; in a session of its own, for a Ctrl-C is not meant for it
            command, check=True, capture_output=True, timeout=2 * PATIENCE, start_new_session=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise Unavailable(f"The sessions cannot be looked at ({error}).") from error
    return [Session(**each) for each in json.loads(told)]


def tell(settle: bool, paths: Iterable[str]) -> None:
    """Print what files say, for `read_elsewhere`."""
    found = []
    for path in map(Path, paths):
        with suppress(GatewayError):
            found.append(asdict(read(path)))
        if settle:
            with suppress(sqlite3.Error), closing(sqlite3.connect(path, timeout=PATIENCE)) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    print(json.dumps(found))  # noqa: T201  its answer


def _content(image: bytes) -> tuple[str | None, int]:
    """The device, and the place of the newest secret of a message: whatsmeow adds them and takes none away."""
    if not image:
        return None, 0
    copy = bytearray(image)
    copy[_MODES] = b"\1\1"
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(bytes(copy))
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "whatsmeow_device" not in tables:
            return None, 0
        keys = database.execute("SELECT noise_key, identity_key FROM whatsmeow_device ORDER BY jid").fetchall()
        [newest] = database.execute("SELECT MAX(rowid) FROM whatsmeow_message_secrets").fetchone()
    return sha256(b"".join(chain.from_iterable(keys))).hexdigest()[:32] if keys else None, newest or 0
