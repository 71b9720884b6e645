# SPDX-License-Identifier: Apache-2.0
"""The generation fence: an old copy of a session is known as one, however it came here."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sessions.conftest import Phone
from wigwag.adapters.sessions.fence import FILE, Age, Fence, age
from wigwag.adapters.sessions.files import Session, account_of, image_of, read, session_files
from wigwag.domain.errors import Conflict, Unavailable


def session(generation: int, device: str | None = "a", file: str = "whatsapp.db") -> Session:
    return Session(file=file, device=device, generation=generation)


@pytest.mark.parametrize(
    ("generation", "newest", "expected"),
    [(5, None, Age.UNKNOWN), (5, 4, Age.NEWEST), (5, 5, Age.NEWEST), (5, 6, Age.OLDER), (0, 0, Age.NEWEST)],
)
def test_a_generation_is_compared_with_the_newest_that_is_known(
    generation: int, newest: int | None, expected: Age
) -> None:
    assert age(generation, newest) is expected


@pytest.mark.parametrize(
    ("known", "found", "passes"),
    [
        ([], [session(5)], True),
        ([session(5)], [session(5)], True),
        ([session(5)], [session(6)], True),
        ([session(5)], [session(4)], False),
        ([session(5)], [session(1, "b")], True),  # paired anew: other keys, their own count
        ([session(5), session(9, "b")], [session(4)], False),  # a file of an earlier pairing
        ([session(5)], [session(0, None)], True),  # not paired: no keys to roll back
        ([session(5)], [session(4, file="whatsapp-desk.db")], False),  # under the name of another account
        ([], [session(5), session(6, file="whatsapp-desk.db")], False),  # one device in two files
        ([], [session(5), session(5, "b", "whatsapp-desk.db")], True),
        ([session(5)], [], True),
    ],
)
def test_who_may_run(known: list[Session], found: list[Session], passes: bool, tmp_path: Path) -> None:
    fence = Fence(tmp_path)
    fence.note(known)
    if passes:
        fence.check(found)
    else:
        with pytest.raises(Conflict):
            fence.check(found)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9)), min_size=1))
def test_what_is_known_never_goes_down_and_outlives_the_process(
    tmp_path_factory: pytest.TempPathFactory, seen: list[tuple[str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("fence")
    for device, generation in seen:
        Fence(folder).note([session(generation, device)])
    for wanted in "ab":
        expected = max((generation for device, generation in seen if device == wanted), default=None)
        assert Fence(folder).newest(wanted) == expected


def test_an_accepted_rollback_is_the_new_mark(tmp_path: Path) -> None:
    fence = Fence(tmp_path)
    fence.note([session(9)])
    fence.accept([session(5)])
    fence.check([session(5)])
    with pytest.raises(Conflict):
        Fence(tmp_path).check([session(4)])


def test_the_refusal_says_whose_session_it_is_and_what_to_do(tmp_path: Path) -> None:
    fence = Fence(tmp_path)
    fence.note([session(9, file="whatsapp-desk.db")])
    with pytest.raises(Conflict, match=r"whatsapp-desk\.db is an old copy of the session of desk.*wigwag pair desk"):
        fence.check([session(5, file="whatsapp-desk.db")])


@pytest.mark.parametrize("content", ["", "{", "[]", '{"newest": {"a": "x"}}', '{"newest": 5}', "{}"])
def test_a_fence_that_cannot_be_read_is_never_taken_for_an_open_one(content: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(Unavailable, match=FILE):
        Fence(tmp_path)


def test_only_we_may_read_what_is_known(tmp_path: Path) -> None:
    Fence(tmp_path).note([session(5)])
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert json.loads((tmp_path / FILE).read_text()) == {"newest": {"a": 5}}
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


# --- what a file says about itself


def test_each_change_raises_the_generation_and_a_copy_keeps_it(folder: Path, phone: Phone) -> None:
    path = phone.pair()
    seen = [read(path).generation]
    copy = Path(shutil.copy(path, folder / "copy.db"))
    for _ in range(3):
        phone.work(path)
        seen.append(read(path).generation)
    assert seen == sorted(set(seen))
    assert read(copy).generation == seen[0]


def test_reading_a_session_does_not_change_a_byte_of_it(folder: Path, phone: Phone) -> None:
    path = phone.pair()
    before = path.read_bytes()
    read(path)
    assert path.read_bytes() == before == image_of(path)
    assert [each.name for each in folder.iterdir()] == [path.name]


def test_the_device_is_the_same_while_its_keys_are(phone: Phone) -> None:
    path = phone.pair()
    first = read(path).device
    phone.work(path)
    assert read(path).device == first
    phone.pair(keys=b"b")
    assert read(path).device not in (None, first)


def test_the_fingerprint_does_not_give_the_keys_away(phone: Phone) -> None:
    device = read(phone.pair(keys=b"a")).device
    assert device is not None
    assert (b"a" * 4).hex() not in device


@pytest.mark.parametrize("made", [b"", None], ids=["an empty file", "a database without tables of whatsmeow"])
def test_what_is_not_paired_has_no_device(made: bytes | None, folder: Path) -> None:
    path = folder / "whatsapp.db"
    if made is None:
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("CREATE TABLE other (x)")
    else:
        path.write_bytes(made)
    assert read(path).device is None


def test_what_is_no_database_is_refused_with_advice(folder: Path) -> None:
    path = folder / "whatsapp.db"
    path.write_bytes(b"not a database, but long enough to be taken for one" * 30)
    with pytest.raises(Unavailable, match="wigwag restore"):
        read(path)


def test_a_session_with_a_write_ahead_log_can_be_read_too(phone: Phone) -> None:
    path = phone.pair()
    before = read(path).device
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        with database:
            database.execute("UPDATE whatsmeow_device SET noise_key = zeroblob(32)")
        in_log = read(path).device
    assert read(path).device == in_log != before


@pytest.mark.parametrize(
    ("file", "account"), [("whatsapp.db", "default"), ("whatsapp-desk.db", "desk"), ("whatsapp-a-b.db", "a-b")]
)
def test_a_file_is_named_for_its_account(file: str, account: str, folder: Path) -> None:
    (folder / file).touch()
    for other in ("wigwag.db", "whatsapp.db-journal", "whatsapp.db.old", "whatsapps.db", ".whatsapp.db.x"):
        (folder / other).touch()
    assert [account_of(path.name) for path in session_files(folder)] == [account]
