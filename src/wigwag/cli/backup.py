# SPDX-License-Identifier: Apache-2.0
"""`wigwag backup` and `wigwag restore`: the sessions and the database in one sealed file, and back.

What is copied, sealed and refused is decided in the room of the sessions; here is asked and told.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wigwag.cli import settings
from wigwag.cli.outcome import ExitCode, Failure
from wigwag.cli.screen import note, say
from wigwag.config import Settings
from wigwag.domain.errors import Conflict, NotFound

if TYPE_CHECKING:
    from wigwag.adapters.sessions import Part, Restored

SHORTEST = 8  # characters

Data = Annotated[
    Path | None,
    typer.Option(help="Directory of the WhatsApp sessions and the database.", show_default="WHATSAPP_SESSION_PATH"),
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(help="Read the passphrase from the first line.", show_default="WIGWAG_BACKUP_PASSPHRASE, or it asks"),
]


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
    passphrase_file: PassphraseFile = None,
    data: Data = None,
) -> None:
    """Save sessions and database in one encrypted file.

    The gateway may go on meanwhile. Without the passphrase, the file is of
    no use to anybody. A database server is backed up with its own tools.

    Examples:
      wigwag backup ~/wigwag.backup
      wigwag backup --force --passphrase-file /run/secrets/backup nightly.backup
    """
    from wigwag.compose import back_up  # noqa: PLC0415 - loads whatsmeow, which other verbs need not wait for

    chosen = settings.read(session_path=data)
    ask = _passphrase(chosen, passphrase_file, twice=True)
    with _refusals():
        kept = back_up(chosen, file, ask, force=force, tell=lambda part: say(_line(part)))
    if not kept:
        note("The database is on a server, so it is not in the backup: save it with that server's own dump tool.")
    size = _size(file.stat().st_size)
    say(f"{file} has all of it, sealed: {size}. Keep the passphrase elsewhere: without it, nothing comes back.")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `wigwag backup` wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Replace sessions and database that are there.")] = False,
    accept: Annotated[
        bool,
        typer.Option("--accept-ratchet-rollback", help="Take sessions that ran on after the backup was made."),
    ] = False,
    passphrase_file: PassphraseFile = None,
    data: Data = None,
) -> None:
    """Bring back what `wigwag backup` saved.

    The gateway must not run. A session that was used after the backup is
    refused, since its old keys cannot read new messages: pair again instead.

    Examples:
      wigwag restore ~/wigwag.backup --data ~/wigwag
    """
    from wigwag.compose import put_back  # noqa: PLC0415 - loads whatsmeow, which other verbs need not wait for

    chosen = settings.read(session_path=data)
    ask = _passphrase(chosen, passphrase_file, twice=False)
    with _refusals():
        restored = put_back(chosen, file, ask, force=force, accept_rollback=accept)
    _report(restored, chosen.session_path)


def _report(restored: "Restored", folder: Path) -> None:
    for part in restored.parts:
        say(_line(part))
    if restored.left_out:
        note("wigwag.db was left out: the database is on a server now.")
    for session in restored.older:
        note(f"{session.account}: its keys went back in time. If messages cannot be read, pair again.")
    if restored.unknown:
        names = ", ".join(session.account for session in restored.unknown)
        note(
            f"Nothing was known here of {names}: make sure that no other machine runs it any more, or the two will end "
            "each other's link and spoil the keys."
        )
    say(f"Restored into {folder}. Start it with `wigwag serve`.")


def _passphrase(chosen: Settings, file: Path | None, *, twice: bool) -> Callable[[], str]:
    """Where the passphrase comes from: the file, the environment, or a person."""

    def ask() -> str:
        if file is not None:
            lines = file.read_text(encoding="utf-8").splitlines()
            return _long_enough(lines[0] if lines else "")
        if chosen.backup_passphrase is not None:
            return _long_enough(chosen.backup_passphrase.get_secret_value())
        if not sys.stdin.isatty():
            raise Failure("no passphrase: set WIGWAG_BACKUP_PASSPHRASE or give --passphrase-file.", ExitCode.USAGE)
        try:
            return _long_enough(str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice, err=True)))
        except typer.Abort as error:
            raise Failure("nothing was done.", ExitCode.INTERRUPTED) from error

    return ask


def _long_enough(passphrase: str) -> str:
    if len(passphrase) < SHORTEST:
        raise Failure(f"the passphrase needs {SHORTEST} characters or more.", ExitCode.USAGE)
    return passphrase


@contextmanager
def _refusals() -> Iterator[None]:
    """What was refused, not failed, has an exit code of its own."""
    try:
        yield
    except (Conflict, NotFound) as error:
        raise Failure(str(error), ExitCode.REFUSED) from error


def _line(part: "Part") -> str:
    what = "presence, history and wishes" if part.account is None else f"session of {part.account}"
    return f"✓ {part.name}  {what}  {_size(part.size)}"


def _size(size: int) -> str:
    """Bytes as people say them: 812 B, 262 kB, 1.4 MB."""
    if size < 1000:
        return f"{size} B"
    kilobytes = round(size / 1000)
    return f"{kilobytes} kB" if kilobytes < 1000 else f"{size / 1e6:.1f} MB"
