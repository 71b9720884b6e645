# SPDX-License-Identifier: Apache-2.0
"""A gateway has its sessions for itself, and notes how far they come."""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.sessions.conftest import Phone
from wigwag.adapters.sessions import guarded
from wigwag.adapters.sessions.fence import FILE, Fence
from wigwag.adapters.sessions.files import read
from wigwag.adapters.sessions.guard import LOCK
from wigwag.domain.errors import Conflict, Unavailable

HOLD = "import sys, pathlib, signal\nfrom wigwag.adapters.sessions import guarded\n"
HOLD += "with guarded(pathlib.Path(sys.argv[1])):\n    print('mine', flush=True)\n    signal.pause()\n"


@contextmanager
def another_process(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "mine\n"
            yield process
        finally:
            process.kill()


def test_a_second_process_is_refused_by_name_and_told_what_to_do(folder: Path) -> None:
    with (
        another_process(folder) as process,
        pytest.raises(Conflict, match=rf"process {process.pid}\).*stop it.*WHATSAPP_SESSION_PATH"),
        guarded(folder),
    ):
        raise AssertionError("two at once")


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_the_lock_ends_with_the_process_however_it_ends(end: signal.Signals, folder: Path) -> None:
    with another_process(folder) as process:
        process.send_signal(end)
        process.wait(20)
        with guarded(folder):
            assert (folder / LOCK).read_text() == str(os.getpid())


def test_files_are_ours_alone_after_the_start(folder: Path, phone: Phone) -> None:
    path, desk = phone.pair(), phone.pair("whatsapp-desk.db", b"b")
    folder.chmod(0o755)
    path.chmod(0o644)
    desk.chmod(0o666)
    with guarded(folder):
        modes = {each.name: each.stat().st_mode & 0o777 for each in folder.iterdir()}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert set(modes.values()) == {0o600}
    assert set(modes) == {"whatsapp.db", "whatsapp-desk.db", FILE, LOCK}


def test_a_folder_that_cannot_be_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="WHATSAPP_SESSION_PATH"), guarded(tmp_path / "file"):
        raise AssertionError("that is no folder")


def test_an_old_copy_put_back_by_hand_after_an_orderly_end_is_refused(folder: Path, phone: Phone) -> None:
    path = phone.pair()
    with guarded(folder):
        phone.work(path)
        old = shutil.copy(path, folder / "old")
        phone.work(path)
    shutil.copy(old, path)
    with pytest.raises(Conflict, match="old copy"), guarded(folder):
        raise AssertionError("it is old")


def test_what_a_look_has_seen_outlives_a_kill(folder: Path, phone: Phone) -> None:
    """Also for an account that was paired after the start."""
    with guarded(folder) as guard:
        path = phone.pair()
        guard.look()
        old = shutil.copy(path, folder / "old")
        phone.work(path)
        guard.look()
        noted = Fence(folder).newest(read(path).device)
        assert noted == read(path).generation
        with pytest.raises(Conflict):
            Fence(folder).check([read(Path(shutil.copy(old, folder / "whatsapp-copy.db")))])


def test_a_change_that_is_not_committed_waits_for_the_next_look(folder: Path, phone: Phone) -> None:
    """What SQLite takes back after a crash must not be taken for something that was there."""
    path = phone.pair()
    with guarded(folder) as guard, closing(sqlite3.connect(path, isolation_level=None)) as database:
        before = known(folder)
        database.execute("PRAGMA cache_size=1")  # it writes to the disk before the end
        database.execute("BEGIN IMMEDIATE")
        for _ in range(50):
            database.execute("INSERT INTO whatsmeow_message_secrets VALUES (randomblob(3000))")
        guard.look()
        assert known(folder) == before
        database.execute("COMMIT")
        guard.look()
        assert known(folder)[0] >= before[0] + 50


def test_what_did_not_change_is_not_read_again(folder: Path, phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    path = phone.pair()
    with guarded(folder) as guard:
        guard.look()
        with monkeypatch.context() as without:
            without.setattr(sys, "executable", "/nonexistent")
            guard.look()
            phone.work(path)
            with pytest.raises(Unavailable, match="cannot be looked at"):
                guard.look()
        guard.look()
        assert known(folder) == [read(path).generation]


async def test_it_looks_again_and_again_also_after_one_that_failed(
    folder: Path, phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    with guarded(folder) as guard:
        path = phone.pair()
        file = folder / FILE
        file.mkdir()  # in the way of what is to be written
        looking = asyncio.create_task(guard.run(every=0.0), name="guard")
        await until(lambda: "Generations are not noted" in caplog.text)
        file.rmdir()
        await until(lambda: file.is_file() and known(folder) == [read(path).generation])
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.to_thread(os.sched_yield)


def known(folder: Path) -> list[int]:
    """The generations that are noted, without touching a session."""
    return list(json.loads((folder / FILE).read_text())["newest"].values())


def test_the_same_session_starts_again_and_again(folder: Path, phone: Phone) -> None:
    path = phone.pair()
    for _ in range(3):
        with guarded(folder):
            phone.work(path)


def test_a_new_pairing_in_a_new_file_is_welcome(folder: Path, phone: Phone) -> None:
    path = phone.pair()
    phone.work(path, 20)
    with guarded(folder):
        pass
    path.unlink()
    phone.pair(keys=b"b")
    with guarded(folder):
        pass


def test_after_a_kill_in_the_middle_of_a_change_the_session_starts(folder: Path, phone: Phone) -> None:
    """SQLite takes the half change back, and the generation with it."""
    path = phone.pair()
    with guarded(folder):
        noted = known(folder)
    killed_at_work(path, "BEGIN IMMEDIATE")
    with guarded(folder):
        assert known(folder) == noted


def test_at_the_end_the_file_is_whole_by_itself(folder: Path, phone: Phone) -> None:
    """Although whatsmeow, in this process, has it open to the last."""
    path = phone.pair()
    with closing(sqlite3.connect(path)) as whatsmeow:
        with guarded(folder), whatsmeow:
            whatsmeow.execute("INSERT INTO whatsmeow_message_secrets VALUES (randomblob(32))")
        assert Path(f"{path}-wal").stat().st_size == 0
        alone = Path(shutil.copy(path, folder / "alone.db"))
        assert known(folder) == [read(alone).generation]


def test_what_was_only_in_the_log_beside_the_file_counts(folder: Path, phone: Phone) -> None:
    """After a kill the newest keys are in the write-ahead log: the file alone is an old copy."""
    path = phone.pair()
    with guarded(folder):
        [before] = known(folder)
    killed_at_work(path, "SELECT 1")
    alone = shutil.copy(path, folder / "alone")
    with guarded(folder):
        assert known(folder)[0] >= before + 50
    shutil.copy(alone, path)
    with pytest.raises(Conflict, match="old copy"), guarded(folder):
        raise AssertionError("it is old")


def killed_at_work(path: Path, first: str) -> None:
    """A process writes 50 secrets, and is killed before it closes the file."""
    half = (
        "import sqlite3, sys, os\ndb = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('PRAGMA cache_size=1')\ndb.execute(sys.argv[2])\n"
        "[db.execute('INSERT INTO whatsmeow_message_secrets VALUES (randomblob(3000))') for _ in range(50)]\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", half, str(path), first], check=False)
    assert Path(f"{path}-wal").stat().st_size > 50 * 3000
