# SPDX-License-Identifier: Apache-2.0
"""What was backed up comes back byte for byte, and nothing is replaced that should not be."""

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sessions.conftest import CHEAP, Phone
from wigwag.adapters.sessions import Part, Restored, back_up, guarded, restore
from wigwag.adapters.sessions.archive import pack, unpack
from wigwag.adapters.sessions.durable import written
from wigwag.adapters.sessions.fence import FILE
from wigwag.adapters.sessions.files import read
from wigwag.domain.errors import Conflict, GatewayError, NotFound, Unavailable

PASSPHRASE = "correct horse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Safe:
    """The places of a test, and the two verbs."""

    sessions: Path
    database: Path
    file: Path

    def save(self, *, force: bool = False, tell: Callable[[Part], None] = lambda _: None) -> None:
        ask = lambda: PASSPHRASE  # noqa: E731
        back_up(self.sessions, self.database, self.file, ask, force=force, tell=tell, cost=CHEAP)

    def bring_back(self, *, force: bool = False, accept: bool = False, passphrase: str = PASSPHRASE) -> Restored:
        ask = lambda: passphrase  # noqa: E731
        return restore(self.file, self.sessions, self.database, ask, force=force, accept_rollback=accept)


@pytest.fixture
def safe(folder: Path, tmp_path: Path) -> Safe:
    database = folder / "wigwag.db"
    with closing(sqlite3.connect(database)) as ours, ours:
        ours.execute("PRAGMA journal_mode=WAL")
        ours.execute("CREATE TABLE contacts (jid)")
        ours.execute("INSERT INTO contacts VALUES ('a')")
    return Safe(sessions=folder, database=database, file=tmp_path / "wigwag.backup")


def contacts(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as ours:
        return [jid for (jid,) in ours.execute("SELECT jid FROM contacts")]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in (FILE, "gateway.lock")}


NAMES = st.sampled_from(["whatsapp.db", "whatsapp-desk.db", "whatsapp-a-b.db", "wigwag.db"])


@given(st.dictionaries(NAMES, st.binary(max_size=200)), st.integers(1, 64))
def test_files_come_out_of_a_row_as_they_went_in_however_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], size: int
) -> None:
    here, there = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("there")
    for name, data in files.items():
        (here / name).write_bytes(data)
    packed = b"".join(pack(here))
    parts = unpack((packed[at : at + size] for at in range(0, len(packed), size)), there)
    assert contents(there) == files
    assert {part.name: part.size for part in parts} == {name: len(data) for name, data in files.items()}


@pytest.mark.parametrize("name", ["../whatsapp.db", "/whatsapp.db", "whatsapp.db/..", "generations.json", "", "x"])
def test_a_name_that_is_not_ours_is_never_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match="damaged"):
        unpack(row(f'[{{"name": "{name}", "size": 0}}]'), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("contents", "rest"),
    [
        ('[{"name": "whatsapp.db", "size": 1}, {"name": "whatsapp.db", "size": 1}]', b"ab"),
        ('[{"name": "whatsapp.db", "size": 2}]', b"a"),
        ('[{"name": "whatsapp.db", "size": 2}]', b"abc"),
        ('[{"name": "whatsapp.db"}]', b""),
        ("[5]", b""),
        ("{", b""),
    ],
    ids=["a name twice", "too short", "too long", "no size", "no list of files", "no JSON"],
)
def test_a_row_that_does_not_fit_its_list_is_refused(contents: str, rest: bytes, tmp_path: Path) -> None:
    with pytest.raises(GatewayError, match="damaged"):
        unpack(row(contents, rest), tmp_path)


def row(contents: str, rest: bytes = b"") -> Iterator[bytes]:
    listed = contents.encode()
    return iter([len(listed).to_bytes(4, "big"), listed, rest])


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "x"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), written(target) as file:
        file.write(bytes(1 // 0))
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert target.read_text() == "old"


def test_everything_comes_back_on_a_machine_that_knows_nothing(safe: Safe, phone: Phone, tmp_path: Path) -> None:
    phone.pair()
    phone.pair("whatsapp-desk.db", b"b")
    told: list[Part] = []
    safe.save(tell=told.append)
    fresh = tmp_path / "new machine" / "session"
    there = Safe(sessions=fresh, database=fresh / "wigwag.db", file=safe.file)
    restored = there.bring_back()
    assert [part.name for part in restored.parts] == ["whatsapp-desk.db", "whatsapp.db", "wigwag.db"]
    assert sorted(restored.parts, key=str) == sorted(told, key=str)
    assert sorted(session.account for session in restored.unknown) == ["default", "desk"]
    for name in ("whatsapp.db", "whatsapp-desk.db"):
        assert (fresh / name).read_bytes() == (safe.sessions / name).read_bytes()
    assert contacts(there.database) == ["a"]
    assert {path.stat().st_mode & 0o777 for path in fresh.iterdir()} == {0o600}
    with guarded(fresh):
        pass


def test_a_backup_is_ours_alone_and_leaves_nothing_else_behind(safe: Safe, phone: Phone) -> None:
    phone.pair()
    before = contents(safe.sessions)
    safe.save()
    assert safe.file.stat().st_mode & 0o777 == 0o600
    assert contents(safe.sessions) == before
    assert [path.name for path in safe.file.parent.iterdir() if path.is_file()] == [safe.file.name]
    assert b"whatsmeow" not in safe.file.read_bytes()


def test_a_backup_that_exists_is_replaced_only_by_force(safe: Safe, phone: Phone) -> None:
    phone.pair()
    safe.file.write_text("dear old backup")
    with pytest.raises(Conflict, match="--force"):
        safe.save()
    assert safe.file.read_text() == "dear old backup"
    safe.save(force=True)
    safe.bring_back(force=True)


def test_a_backup_that_cannot_be_made_leaves_the_old_one(safe: Safe, phone: Phone) -> None:
    phone.pair()
    safe.file.write_text("dear old backup")
    (safe.sessions / "whatsapp-desk.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(Unavailable, match="whatsapp-desk"):
        safe.save(force=True)
    assert safe.file.read_text() == "dear old backup"
    assert [path.name for path in safe.sessions.iterdir() if path.is_dir()] == []


def test_without_sessions_there_is_nothing_to_back_up(safe: Safe) -> None:
    with pytest.raises(NotFound, match="--data"):
        safe.save()


def test_while_somebody_writes_a_backup_is_of_one_instant(safe: Safe, phone: Phone, tmp_path: Path) -> None:
    """A pair of rows is written in one transaction, always; half a pair would be a torn copy."""
    path = phone.pair()
    end = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(path, timeout=30)) as whatsmeow:
            while not end.is_set():
                with whatsmeow:
                    whatsmeow.execute("INSERT INTO whatsmeow_message_secrets VALUES (randomblob(3000))")
                    whatsmeow.execute("INSERT INTO whatsmeow_message_secrets VALUES (randomblob(3000))")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for round_ in range(5):
            safe.save(force=True)
            fresh = tmp_path / str(round_)
            Safe(sessions=fresh, database=fresh / "wigwag.db", file=safe.file).bring_back()
            with closing(sqlite3.connect(fresh / "whatsapp.db")) as copy:
                assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                assert copy.execute("SELECT COUNT(*) FROM whatsmeow_message_secrets").fetchone()[0] % 2 == 0
    finally:
        end.set()
        writer.join()


# --- what a restore refuses, and that it then changes nothing


def older(safe: Safe, phone: Phone) -> None:
    """The session was used after the backup."""
    path = phone.pair()
    safe.save()
    phone.work(path)


def test_a_session_that_ran_on_is_refused_until_the_rollback_is_accepted(safe: Safe, phone: Phone) -> None:
    older(safe, phone)
    with pytest.raises(Conflict, match="--accept-ratchet-rollback"):
        safe.bring_back(force=True)
    restored = safe.bring_back(force=True, accept=True)
    assert [session.account for session in restored.older] == ["default"]
    with guarded(safe.sessions):
        pass


def test_the_fence_remembers_a_session_whose_file_is_gone(safe: Safe, phone: Phone) -> None:
    older(safe, phone)
    with guarded(safe.sessions):
        pass
    (safe.sessions / "whatsapp.db").unlink()
    with pytest.raises(Conflict, match="--accept-ratchet-rollback"):
        safe.bring_back(force=True)


def test_a_session_that_did_not_go_on_comes_back_without_a_word(safe: Safe, phone: Phone) -> None:
    path = phone.pair()
    with guarded(safe.sessions):
        pass
    safe.save()
    path.unlink()
    safe.database.unlink()
    restored = safe.bring_back()
    assert (restored.unknown, restored.older, restored.left_out) == ([], [], False)


def test_after_an_accepted_rollback_an_even_older_file_is_still_refused(safe: Safe, phone: Phone) -> None:
    path = phone.pair()
    ancient = shutil.copy(path, safe.file.parent / "ancient")
    phone.work(path)
    safe.save()
    phone.work(path)
    safe.bring_back(force=True, accept=True)
    shutil.copy(ancient, path)
    with pytest.raises(Conflict, match="old copy"), guarded(safe.sessions):
        raise AssertionError("it is ancient")


def damaged(safe: Safe) -> None:
    data = bytearray(safe.file.read_bytes())
    data[-1] ^= 1
    safe.file.write_bytes(data)


@pytest.mark.parametrize(
    ("spoil", "options", "words"),
    [
        (lambda _: None, {}, "--force"),
        (lambda _: None, {"force": True, "passphrase": "wrong horse"}, "passphrase is wrong"),
        (damaged, {"force": True}, "damaged"),
        (lambda safe: safe.file.write_text("no backup"), {"force": True}, "no backup of wigwag"),
        (lambda safe: safe.file.unlink(), {"force": True}, "No such file"),
    ],
    ids=["something is there", "wrong passphrase", "damaged", "no backup", "no file"],
)
def test_a_refused_restore_touches_nothing(
    spoil: Callable[[Safe], object], options: dict[str, Any], words: str, safe: Safe, phone: Phone
) -> None:
    phone.pair()
    safe.save()
    spoil(safe)
    before = contents(safe.sessions)
    with pytest.raises(GatewayError, match=words):
        safe.bring_back(**options)
    assert contents(safe.sessions) == before


def test_no_restore_while_a_gateway_runs_but_a_backup(safe: Safe, phone: Phone) -> None:
    phone.pair()
    with guarded(safe.sessions):
        safe.save()
        with pytest.raises(Conflict, match="Another wigwag"):
            safe.bring_back(force=True)


def test_a_damaged_session_is_replaced_by_the_backup(safe: Safe, phone: Phone) -> None:
    path = phone.pair()
    safe.save()
    good = path.read_bytes()
    path.write_bytes(b"scribble" * 1000)
    safe.bring_back(force=True)
    assert path.read_bytes() == good
    assert read(path).device is not None


def test_what_sqlite_left_beside_a_lost_file_does_not_spoil_the_restored_one(safe: Safe, phone: Phone) -> None:
    path = phone.pair()
    safe.save()
    path.unlink()
    safe.database.unlink()
    left = [Path(f"{path}-journal"), Path(f"{safe.database}-wal"), Path(f"{safe.database}-shm")]
    for each in left:
        each.write_bytes(b"of the old file")
    safe.bring_back()
    assert [each for each in left if each.exists()] == []


def test_a_database_on_a_server_is_neither_saved_nor_replaced(safe: Safe, phone: Phone, tmp_path: Path) -> None:
    phone.pair()
    safe.save()
    fresh = tmp_path / "fresh"
    restored = restore(safe.file, fresh, None, lambda: PASSPHRASE)
    assert restored.left_out
    assert [part.name for part in restored.parts] == ["whatsapp.db"]
    assert not (fresh / "wigwag.db").exists()
    told: list[Part] = []
    back_up(safe.sessions, None, safe.file, lambda: PASSPHRASE, force=True, tell=told.append, cost=CHEAP)
    assert [part.name for part in told] == ["whatsapp.db"]
