# SPDX-License-Identifier: Apache-2.0
"""The id of a message that was under way, from whatsmeow's file: found, surely not there, or nobody can say."""

import asyncio
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from wigwag.adapters.whatsapp.traces import find_trace
from wigwag.domain.errors import Unconfirmed

SECRET, OTHER = "5e" * 32, "0f" * 32
TABLE = """CREATE TABLE whatsmeow_message_secrets (
    our_jid TEXT, chat_jid TEXT, sender_jid TEXT, message_id TEXT, key bytea NOT NULL,
    PRIMARY KEY (our_jid, chat_jid, sender_jid, message_id)
)"""  # as whatsmeow has it
LOCKER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print(flush=True)
sys.stdin.readline()
database.execute("COMMIT")
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "whatsapp.db"
    with sqlite3.connect(path) as database:
        database.execute(TABLE)
        row = ("1@lid", "2@lid", "1@lid", "3EB0AABBCC", bytes.fromhex(SECRET))
        database.execute("INSERT INTO whatsmeow_message_secrets VALUES (?, ?, ?, ?, ?)", row)
    database.close()
    return path


@contextmanager
def locked(path: Path) -> Iterator["Popen[bytes]"]:
    """Another process is writing, until its input ends."""
    with Popen([sys.executable, "-c", LOCKER, str(path)], stdin=PIPE, stdout=PIPE) as locker:
        assert locker.stdout is not None
        locker.stdout.readline()
        yield locker


@pytest.mark.parametrize(("secret", "found"), [(SECRET, "3EB0AABBCC"), (OTHER, None), ("", None)])
async def test_a_message_that_was_written_down_is_found_by_its_secret_and_no_other(
    file: Path, secret: str, found: str | None
) -> None:
    assert await find_trace(file, secret) == found


async def test_without_a_file_nothing_was_ever_sent_and_none_is_made(tmp_path: Path) -> None:
    assert await find_trace(tmp_path / "whatsapp.db", SECRET) is None
    assert not (tmp_path / "whatsapp.db").exists()


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be looked at" * 50, b"SQLite format 3\0"])
async def test_a_file_that_cannot_be_read_proves_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "whatsapp.db"
    path.write_bytes(content)
    with pytest.raises(Unconfirmed):
        await find_trace(path, SECRET)
    assert path.read_bytes() == content


async def test_a_database_without_the_table_proves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "whatsapp.db"
    sqlite3.connect(path).close()
    path.touch()
    with pytest.raises(Unconfirmed):
        await find_trace(path, SECRET)


async def test_while_another_process_writes_the_look_waits_and_this_process_never_opens_the_file(file: Path) -> None:
    with locked(file) as locker:
        looking = asyncio.create_task(find_trace(file, SECRET))
        while not _looked_at(file, but=locker.pid):
            assert not looking.done()
            await asyncio.sleep(0)
        assert str(file) not in _open_here()
        assert not looking.done()
        locker.communicate(b"\n")
        assert await looking == "3EB0AABBCC"
        assert str(file) not in _open_here()


async def test_the_look_changes_nothing(file: Path) -> None:
    before = {path.name: path.read_bytes() for path in file.parent.iterdir()}
    await find_trace(file, SECRET)
    assert {path.name: path.read_bytes() for path in file.parent.iterdir()} == before


def _open_here() -> list[str]:
    return _open_in("self")


def _open_in(process: str) -> list[str]:
    found = []
    for handle in Path(f"/proc/{process}/fd").iterdir():
        try:
            found.append(str(handle.readlink()))
        except OSError:  # closed meanwhile
            continue
    return found


def _looked_at(file: Path, but: int) -> bool:
    """Whether a child of ours other than the one that writes has the file open."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    try:
        return any(str(file) in _open_in(child) for child in children if int(child) != but)
    except OSError:
        return False
