# SPDX-License-Identifier: Apache-2.0
"""Finds the id under which whatsmeow was about to send a message, in whatsmeow's own database.

whatsmeow writes a message's secret beside its id before the first byte leaves (send.go, PutMessageSecret). No row means
that nothing left. The look is taken by another process: closing a SQLite file here would drop the locks that whatsmeow
holds on it in this one (POSIX locks belong to the process). Nothing is written.
"""

import asyncio
import sys
from pathlib import Path

from wigwag.domain.errors import Unconfirmed

PATIENCE = 15.0  # seconds
_LOOK = """
import pathlib, sqlite3, sys
if not pathlib.Path(sys.argv[1]).exists():
    sys.exit()
with sqlite3.connect(sys.argv[1], timeout=10) as database:
    query = "SELECT message_id FROM whatsmeow_message_secrets WHERE key = ? LIMIT 1"
    print(*(row[0] for row in database.execute(query, [bytes.fromhex(sys.stdin.read())])), sep="")
"""


async def find_trace(file: Path, secret: str) -> str | None:
    """The message's id, or None if it was surely never sent. Raises Unconfirmed if the file cannot be read."""
    if not secret:
        return None
    looking = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", _LOOK, str(file)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            found, trouble = await looking.communicate(secret.encode())
    except TimeoutError as error:
        looking.kill()
        await looking.wait()
        raise Unconfirmed("WhatsApp's session could not be read in time.") from error
    if looking.returncode:
        raise Unconfirmed(f"WhatsApp's session could not be read: {trouble.decode().strip().splitlines()[-1:]}")
    return found.decode().strip() or None
