# SPDX-License-Identifier: Apache-2.0
"""Backups of everything that a gateway keeps, and their way back."""

from collections.abc import Callable
from pathlib import Path

from wigwag.adapters import sessions
from wigwag.adapters.storage.engine import parse
from wigwag.config import Settings


def back_up(
    settings: Settings,
    target: Path,
    passphrase: Callable[[], str],
    *,
    force: bool,
    tell: Callable[[sessions.Part], None],
) -> bool:
    """Save the sessions, and the database if it is a file; False: it is not, so it is not in the backup.

    Raises:
        GatewayError: it cannot be done; the message says what to do.
    """
    database = _database_file(settings)
    sessions.back_up(settings.session_path, database, target, passphrase, force=force, tell=tell)
    return database is not None


def put_back(
    settings: Settings, source: Path, passphrase: Callable[[], str], *, force: bool, accept_rollback: bool
) -> sessions.Restored:
    """Restore what `back_up` saved. Raises GatewayError."""
    folder, database = settings.session_path, _database_file(settings)
    return sessions.restore(source, folder, database, passphrase, force=force, accept_rollback=accept_rollback)


def _database_file(settings: Settings) -> Path | None:
    """Our database, if it is a file and not on a server."""
    url = parse(settings.database_url)
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
