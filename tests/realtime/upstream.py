# SPDX-License-Identifier: Apache-2.0
"""Runs the protocol suites of the upstream project against this server, with Node and npm.

They are not part of this repository; what they ask is also asked, case by case, by `test_conformance`.

    git clone --depth 1 https://github.com/socketio/socket.io
    python -m tests.realtime.upstream socket.io
"""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from tests.realtime.live import serving
from tests.realtime.recording import Recorder
from wigwag.adapters.clock import SystemClock
from wigwag.adapters.realtime import Limits, Realtime, engine
from wigwag.adapters.realtime.engine import Frame
from wigwag.adapters.realtime.parcels import Parcel
from wigwag.adapters.realtime.session import Session

THEIRS = "http://localhost:3000"
SUITES = {"docs/engine.io-protocol/v4-test-suite": True, "docs/socket.io-protocol/v5-test-suite": False}
LIMITS = Limits(payload=1_000_000, messages=1e6, messages_burst=1e6, bytes=1e9, bytes_burst=1e9, connect=1.0)


def server(*, echoes: bool) -> Realtime:
    """With the times that the suites expect. `echoes`: what comes goes back as it is, with no Socket.IO in it."""
    handlers = Recorder()
    made = handlers.server = Realtime(
        handlers,
        clock=SystemClock(),
        ping_interval=0.3,
        ping_timeout=0.2,
        limits=LIMITS,
        namespaces=("/", "/custom"),
    )
    if echoes:
        made._dialogue.hear = _echo(made._dialogue.hear)  # type: ignore[method-assign]  # only Engine.IO is asked
    return made


def _echo(hear: Any) -> Any:
    def heard(session: Session, frame: Frame) -> Coroutine[Any, Any, None] | None:
        if isinstance(frame, bytes) or frame.startswith(engine.MESSAGE):
            session.push(Parcel(frame))
            return None
        asked: Coroutine[Any, Any, None] | None = hear(session, frame)
        return asked

    return heard


async def run(suite: Path, *, echoes: bool) -> int:
    """How it ended: 0 is well."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "suite"
        shutil.copytree(suite, copy)
        await _do("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", folder=copy)
        async with serving(server(echoes=echoes)) as port:
            test = copy / "test-suite.js"
            test.write_text(test.read_text().replace(THEIRS, f"http://127.0.0.1:{port}"))
            return await _do("npx", "mocha", "test-suite.js", folder=copy)


async def _do(*command: str, folder: Path) -> int:
    process = await asyncio.create_subprocess_exec(*command, cwd=folder)
    return await process.wait()


if __name__ == "__main__":
    ended = [asyncio.run(run(Path(sys.argv[1]) / suite, echoes=echoes)) for suite, echoes in SUITES.items()]
    sys.exit(any(ended))
