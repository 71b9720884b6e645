# SPDX-License-Identifier: Apache-2.0
"""Session files as whatsmeow makes them, as far as this room looks into them, and the hands that write to one."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

CHEAP = 4  # log2 of scrypt's N: these secrets are none


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """Pairs a session and works on it, as whatsmeow would."""

    folder: Path

    def pair(self, file: str = "whatsapp.db", keys: bytes = b"a") -> Path:
        path = self.folder / file
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute(
                "CREATE TABLE IF NOT EXISTS whatsmeow_device (jid TEXT, noise_key BLOB, identity_key BLOB)"
            )
            database.execute("CREATE TABLE IF NOT EXISTS whatsmeow_message_secrets (key BLOB NOT NULL)")
            database.execute("DELETE FROM whatsmeow_device")
            database.execute("INSERT INTO whatsmeow_device VALUES ('1@s.whatsapp.net', ?, ?)", (keys * 32, keys * 32))
        return path

    def work(self, path: Path, steps: int = 1) -> None:
        """The keys go on, with every message."""
        with closing(sqlite3.connect(path)) as database:
            for _ in range(steps):
                with database:
                    database.execute("INSERT INTO whatsmeow_message_secrets VALUES (randomblob(32))")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "session"
    folder.mkdir()
    return folder


@pytest.fixture
def phone(folder: Path) -> Phone:
    return Phone(folder=folder)
