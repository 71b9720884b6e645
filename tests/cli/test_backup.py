# SPDX-License-Identifier: Apache-2.0
"""`wigwag backup` and `wigwag restore` at the shell: words, exit codes, and where the passphrase comes from."""

import os
import pty
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from wigwag.cli.backup import _size

PASSPHRASE = "correct horse"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Sessions that nobody paired, and a database."""
    data = tmp_path / "data"
    data.mkdir()
    for name in ("whatsapp.db", "whatsapp-desk.db", "wigwag.db"):
        with closing(sqlite3.connect(data / name)) as database, database:
            database.execute("CREATE TABLE x (y)")
    return data


@pytest.fixture
def saved(data: Path, tmp_path: Path, wigwag: Command) -> Path:
    file = tmp_path / "x.backup"
    done = wigwag("backup", str(file), "--data", str(data), WIGWAG_BACKUP_PASSPHRASE=PASSPHRASE)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:3] == [
        "✓ whatsapp-desk.db  session of desk  8 kB",
        "✓ whatsapp.db  session of default  8 kB",
        "✓ wigwag.db  presence, history and wishes  8 kB",
    ]
    assert "without it, nothing comes back" in done.stdout
    return file


def test_what_was_saved_is_told_and_comes_back(saved: Path, data: Path, tmp_path: Path, wigwag: Command) -> None:
    there = tmp_path / "there"
    done = wigwag("restore", str(saved), "--data", str(there), WIGWAG_BACKUP_PASSPHRASE=PASSPHRASE)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "✓ whatsapp-desk.db  session of desk" in done.stdout
    assert f"Restored into {there}. Start it with `wigwag serve`." in done.stdout
    assert {path.name for path in data.iterdir()} <= {path.name for path in there.iterdir()}


@pytest.mark.parametrize("content", ["correct horse\n", "correct horse", "correct horse\r\nand a note\n"])
def test_a_passphrase_file_comes_before_the_environment(
    content: str, saved: Path, tmp_path: Path, wigwag: Command
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(content)
    line = ["restore", str(saved), "--data", str(tmp_path / "there"), "--passphrase-file", str(secret)]
    assert wigwag(*line, WIGWAG_BACKUP_PASSPHRASE="another one").exit_code == 0


@pytest.mark.parametrize(
    ("passphrase", "code", "words"),
    [
        ("wrong horse", 4, "The passphrase is wrong."),
        ("short", 2, "8 characters"),
    ],
)
def test_a_passphrase_that_does_not_do_is_refused(
    passphrase: str, code: int, words: str, saved: Path, tmp_path: Path, wigwag: Command
) -> None:
    done = wigwag("restore", str(saved), "--data", str(tmp_path / "there"), WIGWAG_BACKUP_PASSPHRASE=passphrase)
    assert (done.exit_code, done.stdout) == (code, "")
    assert words in done.stderr


def test_with_nobody_to_ask_it_says_how_to_give_the_passphrase(data: Path, tmp_path: Path, wigwag: Command) -> None:
    done = wigwag("backup", str(tmp_path / "x"), "--data", str(data))
    assert done.exit_code == 2
    assert "WIGWAG_BACKUP_PASSPHRASE" in done.stderr
    assert "--passphrase-file" in done.stderr


@contextmanager
def asked(line: list[str]) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """A command that has a terminal for its questions: the process, and the other end of that terminal."""
    controller, terminal = pty.openpty()
    # Where the tests run in the background, Ctrl-C is ignored, and children would inherit that.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "wigwag", *line]
    with subprocess.Popen(
        command, stdin=terminal, stdout=subprocess.PIPE, stderr=terminal, start_new_session=True
    ) as process:
        os.close(terminal)
        try:
            yield process, controller
        finally:
            process.kill()
    os.close(controller)


def until(controller: int, question: str) -> str:
    """What the terminal shows, up to the question."""
    shown = b""
    while not shown.endswith(question.encode()):
        shown += os.read(controller, 1000)
    return shown.decode()


def test_in_a_terminal_a_person_is_asked_twice_and_what_is_typed_is_not_shown(data: Path, tmp_path: Path) -> None:
    with asked(["backup", str(tmp_path / "x"), "--data", str(data)]) as (process, terminal):
        shown = until(terminal, "Passphrase: ")
        os.write(terminal, f"{PASSPHRASE}\n".encode())
        shown += until(terminal, "Repeat for confirmation: ")
        os.write(terminal, f"{PASSPHRASE}\n".encode())
        assert process.wait(60) == 0
    assert PASSPHRASE not in shown


def test_ctrl_c_at_the_question_ends_with_130_and_nothing_was_done(data: Path, tmp_path: Path) -> None:
    with asked(["backup", str(tmp_path / "x"), "--data", str(data)]) as (process, terminal):
        until(terminal, "Passphrase: ")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (["backup", "{saved}", "--data", "{data}"], 4, "--force"),
        (["backup", "{tmp}/new", "--data", "{tmp}/nowhere"], 4, "no WhatsApp sessions in {tmp}/nowhere"),
        (["backup", "{tmp}/no/folder", "--data", "{data}"], 4, "no folder {tmp}/no: make it"),
        (["restore", "{saved}", "--data", "{data}"], 4, "--force"),
        (["restore", "{tmp}/nothing", "--data", "{tmp}/there"], 1, "{tmp}/nothing"),
        (["restore", "{data}/wigwag.db", "--data", "{tmp}/there"], 1, "no backup of wigwag"),
        (["restore"], 2, "Missing argument"),
        (["backup"], 2, "Missing argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_refused_or_fails_says_what_to_do(
    line: list[str], code: int, words: str, saved: Path, data: Path, tmp_path: Path, wigwag: Command
) -> None:
    def filled(text: str) -> str:
        return text.format(saved=saved, data=data, tmp=tmp_path)

    done = wigwag(*map(filled, line), WIGWAG_BACKUP_PASSPHRASE=PASSPHRASE, TERMINAL_WIDTH="1000")
    assert (done.exit_code, done.stdout) == (code, "")
    assert filled(words) in done.stderr


def test_a_database_on_a_server_is_said_to_be_left_to_that_server(data: Path, tmp_path: Path, wigwag: Command) -> None:
    line = ["backup", str(tmp_path / "x"), "--data", str(data)]
    done = wigwag(
        *line, WIGWAG_BACKUP_PASSPHRASE=PASSPHRASE, WIGWAG_STORAGE_URL="postgresql://me:secret@localhost/wigwag"
    )
    assert done.exit_code == 0
    assert "dump tool" in done.stderr
    assert "wigwag.db" not in done.stdout
    assert "secret" not in done.output


@pytest.mark.parametrize(
    ("size", "said"), [(0, "0 B"), (999, "999 B"), (262_144, "262 kB"), (1_449_000, "1.4 MB"), (999_600, "1.0 MB")]
)
def test_sizes_are_said_as_people_say_them(size: int, said: str) -> None:
    assert _size(size) == said
